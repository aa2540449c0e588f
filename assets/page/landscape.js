// The objective against p, to play with: a curve, its parts, and a ball that rolls to the minimum.

const sigmoid = (logit) => 1 / (1 + Math.exp(-logit));
const logitOf = (p) => Math.log(p) - Math.log1p(-p);
/** H(p) in nats. */
const entropyOf = (p) => -(p * Math.log(p) + (1 - p) * Math.log1p(-p));

/** The u in [low, high] at which a gradient that rises passes 0. */
function zeroOf(gradient, low, high) {
  for (let i = 0; i < 200; i++) {
    const middle = 0.5 * (low + high);
    if (gradient(middle) < 0) low = middle; else high = middle;
  }
  return 0.5 * (low + high);
}

/** The form to learn from: three terms in round numbers, over p itself. */
class TeachingForm {
  name = 'teaching form';
  parts = ['likelihood, p / N', 'weights, 0.8 (1 − p)²', 'entropy, −K/N · H(p)'];
  note = 'Round numbers to get a feeling for. N divides likelihood and entropy and leaves the weights as they are, so that '
    + 'with more data the weights decide, which want p high. In the objective that is trained all but the likelihood is divided '
    + 'by N, and more data push p down: choose a layer of the run to see it.';
  low = 0.01;
  high = 0.99;
  start = { n: 1000, k: 500, u: 0.9 };
  nRange = [10, 10_000];
  kRange = [50, 5_000];
  toP = (u) => u;
  toU = (p) => p;
  ticks = [0.01, 0.2, 0.4, 0.6, 0.8, 0.99];

  frame() {}

  terms(p, { n, k }) {
    return [p / n, 0.8 * (1 - p) ** 2, (-k / n) * entropyOf(p)];
  }

  gradient(p, { n, k }) {
    return 1 / n - 1.6 * (1 - p) + (k / n) * logitOf(p);
  }

  minimum(settings) {
    return zeroOf((p) => this.gradient(p, settings), this.low, this.high);
  }
}

/** A layer as a run left it: the objective of `concrete::Landscape`, over the logit of p, which is what is trained. */
class LayerForm {
  parts = ['likelihood, τ c p/(1 − p)', 'weights, l²/N ‖W‖² / (1 − p)', 'entropy, −2K/N · H(p)'];
  note = 'Coefficients as the run had them after the episode. The ball starts where p stood; where the run trains p, it follows '
    + 'this slope while N, τ and the weights change under it.';

  constructor(name, state) {
    this.name = name;
    const { p, n, k } = state;
    this.state = state;
    this.start = { n, k, u: logitOf(p) };
    this.nRange = [Math.max(1, Math.min(10, n)), Math.max(10_000, 10 * n)];
    this.kRange = [Math.max(1, Math.min(50, k)), Math.max(5_000, 10 * k)];
  }

  /** What is in view: where p stood, and the minimum, unless that is far below. */
  frame(settings) {
    const [stood, best] = [this.start.u, this.minimum(settings)];
    this.low = Math.max(Math.min(stood, best) - 2, stood - 9);
    this.high = Math.max(stood, best) + 2.5;
    const digits = Array.from({ length: 40 }, (_, i) => 40 - i);
    this.ticks = [...digits.map((digit) => 10 ** -digit), 0.5, 0.9, 0.99];
  }

  toP = sigmoid;
  toU = logitOf;

  terms(logit, { n, k }) {
    const { tau, c, norm, length } = this.state;
    const odds = Math.exp(logit);
    return [tau * c * odds, ((length ** 2 * norm) / n) * (1 + odds), ((-2 * k) / n) * entropyOf(sigmoid(logit))];
  }

  /** dL/dlogit = e^logit (A + B logit / (1 + e^logit)²). */
  gradient(logit, { n, k }) {
    const { tau, c, norm, length } = this.state;
    const odds = Math.exp(logit);
    return odds * (tau * c + (length ** 2 * norm) / n + ((2 * k) / n) * logit / (1 + odds) ** 2);
  }

  minimum({ n, k }) {
    const { tau, c, norm, length } = this.state;
    const ratio = (tau * c + (length ** 2 * norm) / n) / ((2 * k) / n);
    return zeroOf((logit) => ratio * (1 + Math.exp(logit)) ** 2 + logit, -4 * ratio, 0);
  }
}

/** A place of local dropout and an action: a layer of one mask in front of a weight that is fixed, which some of the data pass. */
class PlaceForm extends LayerForm {
  parts = ['likelihood, τ w² n/N · p/(1 − p)', 'entropy, −2K/N · H(p)'];
  note = 'The place of the cell that was clicked in the maps below, and of its greedy action; at first of the cell that was visited most. '
    + 'n of the N transitions of the replay start there: none, and p* is 1/2; the more, the smaller it is. The slider of N '
    + 'keeps their share n/N.';

  terms(logit, settings) {
    const [likelihood, , entropy] = super.terms(logit, settings);
    return [likelihood, entropy];
  }
}

/** The place that a run offers, by the moments of its maps. */
function placesOf(run) {
  const moments = (run.maps?.moments || []).filter(({ place_p }) => place_p.length > 0);
  if (moments.length === 0) return { names: [], moments };
  const { visits } = moments[moments.length - 1];
  const at = (_, moment) => {
    const { place_p, place_sensitivity, dataset_size, precision } = moments[moment];
    const cell = run.cell ?? visits.indexOf(Math.max(...visits));
    return new PlaceForm('a place', {
      p: place_p[cell], n: dataset_size, k: 1, tau: precision, c: place_sensitivity[cell], norm: 0, length: 0,
    });
  };
  return { names: ['a place'], moments: moments.map(({ env_steps }) => ({ when: env_steps })), unit: 'after step', isPlace: true, at };
}

/** The forms that a run offers, by the moments at which its layers are known. */
function formsOf(tables) {
  const { layers, episodes } = tables.run.tables;
  const rows = new Map();
  (layers.episode || []).forEach((episode, row) => {
    if (!rows.has(episode)) rows.set(episode, []);
    rows.get(episode).push(row);
  });
  const moments = episodes.episode.map((episode, row) => ({ episode, row })).filter(({ episode }) => rows.has(episode)).map((moment) => ({ ...moment, when: moment.episode }));
  const groups = moments.length === 0 ? [] : rows.get(moments[0].episode).map((row) => [layers.layer[row], layers.group[row]]);
  const hasGroups = groups.some(([, group]) => group > 0);
  const names = groups.map(([layer, group]) => `layer ${layer}${hasGroups ? `, group ${group}` : ''}`);
  const at = (index, moment) => {
    const { episode, row: of } = moments[moment];
    const row = rows.get(episode)[index];
    if (row === undefined) return null;
    return new LayerForm(names[index], {
      p: layers.p[row], n: episodes.dataset_size[of], k: layers.masks[row], tau: episodes.precision[of],
      c: layers.sensitivity[row], norm: layers.squared_norm[row], length: tables.run.length_scale,
    });
  };
  return { names, moments, unit: 'after episode', at };
}

const SVG = 'http://www.w3.org/2000/svg';
function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Where the drawing's parts are, in pixels. */
const FRAME = { width: 760, height: 380, left: 58, right: 16, top: 14, bottom: 44 };

/** The widget. */
class LandscapeWidget {
  constructor(root, runs) {
    this.runs = runs;
    this.frame = null;
    root.append(
      element('h2', {}, 'Why p is where it is'),
      element('p', { class: 'note' }, 'The objective L(p) and its three parts. Drag the ball and let it go: it rolls down the gradient to the minimum. '
        + 'With the keyboard: arrows move it, Enter lets it go.'),
    );
    this.which = element('select', { 'aria-label': 'objective' });
    this.moment = this.#slider('after episode', 0, 0, 1);
    this.n = this.#slider('N, data', 0, 1, 0.001);
    this.k = this.#slider('K, units that are dropped', 0, 1, 0.001);
    this.reset = element('button', { type: 'button' }, 'reset');
    this.status = element('div', { class: 'status', role: 'status' });
    this.note = element('p', { class: 'note' });
    this.legend = element('div', { class: 'legend' });
    this.drawing = svg('svg');
    root.append(element('div', { class: 'landscape' },
      element('div', {}, this.drawing, this.legend, this.note),
      element('div', { class: 'side' },
        element('label', {}, 'objective', this.which), this.moment.label, this.n.label, this.k.label, this.reset, this.status)));
    this.#build();
    this.which.onchange = () => this.#choose();
    this.moment.input.oninput = () => this.#choose();
    this.n.input.oninput = () => this.#slide('n', this.form.nRange);
    this.k.input.oninput = () => this.#slide('k', this.form.kRange);
    this.reset.onclick = () => this.#choose();
    this.refresh();
    this.#choose();
  }

  /** What the runs offer now; what is shown stays until it is chosen anew. */
  refresh() {
    const offered = this.runs().flatMap((run) => {
      const offers = (forms) => forms.names.map((name, index) => ({ run, forms, index, name }));
      return [formsOf(run.tables), placesOf(run.tables.run)].flatMap(offers);
    });
    const several = this.runs().length > 1;
    const options = ['teaching form', ...offered.map(({ run, name }) => (several ? `${run.label}: ${name}` : `${name} of this run`))];
    const wasLast = this.moment.input.value === this.moment.input.max;
    this.offered = offered;
    if (options.join() !== [...this.which.options].map((option) => option.textContent).join()) {
      const chosen = this.which.selectedIndex;
      this.which.replaceChildren(...options.map((text, index) => element('option', { value: index }, text)));
      this.which.selectedIndex = Math.min(Math.max(chosen, 0), options.length - 1);
    }
    const shown = this.offered[this.which.selectedIndex - 1];
    if (shown) {
      this.moment.input.max = shown.forms.moments.length - 1;
      if (wasLast && !this.isTouched) {
        this.moment.input.value = this.moment.input.max;
        this.#choose();
      }
    }
  }

  /** Shows the place of local dropout that is chosen now, if there is any. */
  choosePlace() {
    const place = this.offered.findIndex(({ forms }) => forms.isPlace);
    if (place < 0) return false;
    this.which.selectedIndex = place + 1;
    this.#choose();
    return true;
  }

  /** Colours as the theme has them. */
  draw() {
    this.#paint();
  }

  #slider(text, min, max, step) {
    const input = element('input', { type: 'range', min, max, step });
    const output = element('output');
    return { input, output, label: element('label', {}, text, output, input) };
  }

  /** The parts of the drawing that stay. */
  #build() {
    this.plane = svg('rect');
    const clip = svg('clipPath', { id: 'plane' }, this.plane);
    this.#fit();
    new ResizeObserver(() => { if (this.#fit()) this.#paint(); }).observe(this.drawing.parentElement);
    this.grid = svg('g');
    this.curves = svg('g', { 'clip-path': 'url(#plane)', fill: 'none' });
    this.marker = svg('g');
    this.halo = svg('circle', { class: 'halo', r: 20, fill: 'transparent' });
    this.disc = svg('circle', { class: 'disc', r: 10 });
    this.ball = svg('g', {
      class: 'ball', tabindex: 0, role: 'slider', 'aria-label': 'dropout probability p', 'aria-valuemin': 0, 'aria-valuemax': 1,
    }, this.halo, this.disc);
    this.drawing.append(svg('defs', {}, clip), this.grid, this.curves, this.marker, this.ball);

    this.ball.onpointerdown = (event) => {
      this.ball.setPointerCapture(event.pointerId);
      this.#hold();
      event.preventDefault();
      this.ball.focus();
    };
    this.ball.onpointermove = (event) => {
      if (this.ball.hasPointerCapture(event.pointerId)) this.#put(this.#uAt(event.clientX), 'held');
    };
    this.ball.onlostpointercapture = () => { if (this.doing === 'held') this.#roll(); };
    this.ball.onkeydown = (event) => {
      const stride = ((this.form.high - this.form.low) / 100) * (event.shiftKey ? 5 : 1);
      const move = { ArrowLeft: -stride, ArrowDown: -stride, ArrowRight: stride, ArrowUp: stride }[event.key];
      if (move) { this.#hold(); this.#put(this.u + move, 'held'); }
      else if (event.key === 'Home' || event.key === 'End') { this.#hold(); this.#put(event.key === 'Home' ? this.form.low : this.form.high, 'held'); }
      else if (event.key === 'Enter' || event.key === ' ') this.#roll();
      else return;
      event.preventDefault();
    };
  }

  /** Makes the drawing as wide as its place; whether that changed anything. */
  #fit() {
    const width = Math.max(Math.round(this.drawing.parentElement.clientWidth), 280);
    if (width === FRAME.width && this.drawing.hasAttribute('viewBox')) return false;
    FRAME.width = width;
    FRAME.height = Math.min(380, Math.round(width * 0.8));
    const { height, left, right, top, bottom } = FRAME;
    this.drawing.setAttribute('viewBox', `0 0 ${width} ${height}`);
    for (const [key, value] of Object.entries({ x: left, y: top, width: width - left - right, height: height - top - bottom })) this.plane.setAttribute(key, value);
    return true;
  }

  /** Takes the form that is chosen, its coefficients and its p. */
  #choose() {
    const offer = this.offered[this.which.selectedIndex - 1];
    this.moment.label.hidden = !offer;
    if (offer) {
      const last = offer.forms.moments.length - 1;
      if (this.shownOffer !== offer.name + offer.run.label) {
        this.moment.input.max = last;
        this.moment.input.value = last;
      }
      this.shownOffer = offer.name + offer.run.label;
      const moment = Number(this.moment.input.value);
      this.moment.label.firstChild.textContent = offer.forms.unit;
      this.moment.output.textContent = whole(offer.forms.moments[moment].when);
      this.form = offer.forms.at(offer.index, moment) || this.form;
    } else {
      this.shownOffer = null;
      this.form = new TeachingForm();
    }
    this.isTouched = false;
    this.settings = { ...this.form.start };
    this.#hold();
    this.u = this.form.start.u;
    this.doing = offer ? 'where p stood' : 'at rest';
    this.#show(this.n, this.form.nRange, this.settings.n);
    this.#show(this.k, this.form.kRange, this.settings.k);
    this.note.textContent = this.form.note;
    this.#paint();
  }

  #show({ input, output }, [low, high], value) {
    input.value = Math.log(value / low) / Math.log(high / low);
    output.textContent = whole(value);
  }

  /** Takes N or K from its slider. The other stays what it is, which its own slider has only nearly. */
  #slide(name, [low, high]) {
    const { input, output } = this[name];
    const value = Math.round(low * (high / low) ** Number(input.value));
    output.textContent = whole(value);
    this.settings = { ...this.settings, [name]: value };
    this.isTouched = true;
    this.#paint();
    this.#roll();
  }

  #hold() {
    if (this.frame) cancelAnimationFrame(this.frame);
    this.frame = null;
  }

  #put(u, doing) {
    this.isTouched = true;
    this.u = Math.min(Math.max(u, this.form.low), this.form.high);
    this.doing = doing;
    this.#place();
  }

  /** Lets the ball go: it is pulled by the gradient and slowed by friction, until it lies still at the minimum. */
  #roll() {
    this.#hold();
    const target = this.minimum;
    const span = this.form.high - this.form.low;
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) {
      this.#put(target, this.#arrival());
      return;
    }
    // Measured by the curve's bend at the minimum, so that it takes about the same time for all N and K.
    const step = span * 1e-4;
    const bend = (this.#slope(target + step) - this.#slope(target - step)) / (2 * step);
    let speed = 0, before = null;
    const frame = (now) => {
      // A tab that was in the background goes on where it was.
      let time = before === null ? 0.016 : Math.min((now - before) / 1000, 0.05);
      before = now;
      while (time > 0) {
        const dt = Math.min(time, 0.004);
        const pull = Math.min(Math.max(-this.#slope(this.u) / bend, -span / 2), span / 2);
        speed += (30 * pull - 7 * speed) * dt;
        this.u = Math.min(Math.max(this.u + speed * dt, this.form.low), this.form.high);
        if (this.u === this.form.low || this.u === this.form.high) speed = 0;
        time -= dt;
      }
      const isThere = Math.abs(this.u - target) < span * 5e-4 && Math.abs(speed) < span * 5e-3;
      this.#put(isThere ? target : this.u, isThere ? this.#arrival() : 'rolling down the gradient');
      this.frame = isThere ? null : requestAnimationFrame(frame);
    };
    this.doing = 'rolling down the gradient';
    this.frame = requestAnimationFrame(frame);
  }

  #arrival() {
    return this.form.minimum(this.settings) < this.form.low ? 'at the edge; the minimum is beyond it' : 'at the minimum';
  }

  #slope(u) {
    return this.form.gradient(u, this.settings);
  }

  #total(u) {
    return this.form.terms(u, this.settings).reduce((sum, term) => sum + term, 0);
  }

  #x(u) {
    return FRAME.left + ((u - this.form.low) / (this.form.high - this.form.low)) * (FRAME.width - FRAME.left - FRAME.right);
  }

  #y(value) {
    const [low, high] = this.range;
    return FRAME.top + ((high - value) / (high - low)) * (FRAME.height - FRAME.top - FRAME.bottom);
  }

  #uAt(clientX) {
    const box = this.drawing.getBoundingClientRect();
    const share = (((clientX - box.left) / box.width) * FRAME.width - FRAME.left) / (FRAME.width - FRAME.left - FRAME.right);
    return this.form.low + share * (this.form.high - this.form.low);
  }

  /** Those of the form's ticks that are in view and have room. */
  #ticks() {
    const { form } = this;
    let last = Infinity;
    const fits = (p) => {
      const [u, x] = [form.toU(p), this.#x(form.toU(p))];
      const isShown = u >= form.low - 1e-9 && u <= form.high + 1e-9 && last - x > 42;
      if (isShown) last = x;
      return isShown;
    };
    return [...form.ticks].reverse().filter(fits);
  }

  /** The curves, their frame and the minimum. */
  #paint() {
    const { form, settings } = this;
    form.frame(settings);
    this.minimum = Math.min(Math.max(form.minimum(settings), form.low), form.high);
    const us = Array.from({ length: 241 }, (_, i) => form.low + ((form.high - form.low) * i) / 240);
    const terms = us.map((u) => form.terms(u, settings));
    const totals = terms.map((parts) => parts.reduce((sum, part) => sum + part, 0));
    const all = terms.flat().concat(totals).filter(Number.isFinite);
    const air = (Math.max(...all) - Math.min(...all) || 1) * 0.05;
    this.range = [Math.min(...all) - air, Math.max(...all) + air];

    const [ink, soft, line] = [inkOf('ink'), inkOf('soft'), inkOf('grid')];
    const text = (x, y, content, anchor = 'middle') => svg('text', { x, y, fill: soft, 'text-anchor': anchor }, content);
    const bottom = FRAME.height - FRAME.bottom, right = FRAME.width - FRAME.right;
    this.grid.replaceChildren(
      ...this.#ticks().flatMap((p) => {
        const x = this.#x(form.toU(p));
        return [svg('line', { x1: x, x2: x, y1: FRAME.top, y2: bottom, stroke: line }), text(x, bottom + 17, brief(p))];
      }),
      ...niceTicks(...this.range).flatMap((value) => {
        const y = this.#y(value);
        return [svg('line', { x1: FRAME.left, x2: right, y1: y, y2: y, stroke: line }), text(FRAME.left - 7, y + 4, brief(value), 'end')];
      }),
      text((FRAME.left + right) / 2, FRAME.height - 8, form instanceof TeachingForm ? 'dropout probability p' : 'dropout probability p, on the scale of its logit'),
    );
    const path = (values) => us.map((u, i) => `${i ? 'L' : 'M'}${this.#x(u).toFixed(1)} ${this.#y(values[i]).toFixed(1)}`).join('');
    this.curves.replaceChildren(
      ...form.parts.map((_, i) => svg('path', { class: 'part', d: path(terms.map((parts) => parts[i])), stroke: colorOf(i), 'stroke-width': 1.6, 'stroke-dasharray': '5 4', opacity: 0.6 })),
      svg('path', { class: 'curve', d: path(totals), stroke: ink, 'stroke-width': 2.4 }),
    );
    const key = (name, style) => element('span', {}, element('i', { style }), name);
    this.legend.replaceChildren(
      key('L(p)', `border-top: 3px solid ${ink}`),
      ...form.parts.map((name, i) => key(name, `border-top: 2px dashed ${colorOf(i)}`)),
    );
    const [x, y] = [this.#x(this.minimum), this.#y(this.#total(this.minimum))];
    const side = x > FRAME.width - 150 ? 'end' : 'start';
    const best = form.minimum(settings);
    const beyond = best < form.low ? ', far to the left' : best > form.high ? ', to the right' : '';
    this.marker.replaceChildren(
      svg('line', { x1: x, x2: x, y1: y, y2: bottom, stroke: soft, 'stroke-dasharray': '2 3' }),
      svg('circle', { class: 'minimum', cx: x, cy: y, r: 4, fill: colorOf(1) }),
      svg('text', { x: x + (side === 'end' ? -7 : 7), y: bottom - 7, fill: colorOf(1), 'text-anchor': side, 'font-weight': 600 }, `p* = ${small(form.toP(best))}${beyond}`),
    );
    this.disc.setAttribute('fill', colorOf(0));
    this.disc.setAttribute('stroke', inkOf('card'));
    this.disc.setAttribute('stroke-width', 2);
    this.#place();
  }

  /** The ball and what is said of it. */
  #place() {
    const { form } = this;
    const value = this.#total(this.u), p = form.toP(this.u), best = form.toP(form.minimum(this.settings));
    // It lies on the curve, not in it.
    this.ball.setAttribute('transform', `translate(${this.#x(this.u)} ${this.#y(value) - 10})`);
    this.ball.setAttribute('aria-valuenow', p);
    this.ball.setAttribute('aria-valuetext', `p = ${brief(p)}`);
    this.status.replaceChildren(...[
      `p = ${brief(p, 4)}`, `L(p) = ${brief(value, 5)}`, `p* = ${small(best, 4)}, where L is least`, this.doing,
    ].map((line) => element('div', {}, line)));
    this.p = p;
    this.best = best;
  }
}

/** A p, which can be too small for a number. */
const small = (p, digits) => (p === 0 ? '< 1e-300' : brief(p, digits));

/** A few round numbers between two. */
function niceTicks(low, high) {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  const ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) ticks.push(Math.abs(tick) < step * 1e-9 ? 0 : tick);
  return ticks;
}
