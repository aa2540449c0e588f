// An episode that the policy played, as an animation, with what it thought at every step.

/** The episode of a run: a picture of the state, or its observations, beside the Q-values. */
class EpisodePanel {
  constructor(root, run) {
    this.run = run;
    this.steps = run.recording.steps;
    this.timer = null;
    root.hidden = false;
    this.canvas = element('canvas', { role: 'img', 'aria-label': 'the state at this step' });
    this.values = svg('svg', { role: 'img', 'aria-label': 'Q-values at this step' });
    this.slider = element('input', { type: 'range', min: 0, max: this.steps.length - 1, value: 0, 'aria-label': 'step' });
    this.play = element('button', { type: 'button' }, 'play');
    this.pace = element('select', { 'aria-label': 'steps a second' }, ...[5, 15, 50, 150].map((pace) => element('option', { value: pace }, `${pace} steps a second`)));
    this.pace.value = this.steps.length > 100 ? 50 : 5;
    this.text = element('p', { class: 'note', role: 'status' });
    const pictures = this.steps[0].drawing ? 'The state' : run.image ? 'What it sees' : 'What it observes';
    root.replaceChildren(
      element('h2', {}, 'An episode of the policy'),
      element('p', { class: 'note' }, `Played after the training, greedily on the mean over the passes${run.recording.is_whole ? '' : `; its first ${whole(this.steps.length)} steps`}. `
        + 'Bars are mean Q-values, lines one epistemic standard deviation to either side.'),
      element('div', { class: 'controls' }, this.play, this.slider, this.pace),
      element('div', { class: 'episode' },
        element('figure', {}, element('h3', {}, pictures), this.canvas),
        element('figure', {}, element('h3', {}, 'Q-values, in units of the return'), this.values, this.text)),
    );
    this.range = this.#range();
    this.play.onclick = () => (this.timer ? this.#pause() : this.#start());
    this.slider.oninput = () => { this.#pause(); this.draw(); };
    new ResizeObserver(() => this.draw()).observe(root);
  }

  #start() {
    if (Number(this.slider.value) === this.steps.length - 1) this.slider.value = 0;
    this.play.textContent = 'pause';
    let before = performance.now();
    const frame = (now) => {
      const due = Math.floor(((now - before) / 1000) * Number(this.pace.value));
      if (due > 0) {
        before = now;
        this.slider.value = Number(this.slider.value) + due;
        this.draw();
      }
      if (Number(this.slider.value) === this.steps.length - 1) this.#pause();
      else this.timer = requestAnimationFrame(frame);
    };
    this.timer = requestAnimationFrame(frame);
  }

  #pause() {
    if (this.timer) cancelAnimationFrame(this.timer);
    this.timer = null;
    this.play.textContent = 'play';
  }

  /** From the lowest to the highest of what is drawn of Q, 0 included. */
  #range() {
    let [low, high] = [0, 0];
    for (const { mean, epistemic_std: std } of this.steps) {
      mean.forEach((value, action) => {
        if (value == null) return;
        low = Math.min(low, value - std[action]);
        high = Math.max(high, value + std[action]);
      });
    }
    return low < high ? [low, high] : [0, 1];
  }

  draw() {
    const at = Number(this.slider.value), step = this.steps[at];
    const size = this.canvas.parentElement.clientWidth, ratio = window.devicePixelRatio || 1;
    const place = (width, height) => {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
      const context = this.canvas.getContext('2d');
      context.scale(ratio, ratio);
      return context;
    };
    if (step.drawing) this.#picture(step.drawing, size, place);
    else if (this.run.image && step.observation.length > 0) this.#image(step.observation, size, place);
    else this.#observations(at, place(size, 240), size);
    this.#bars(step);
    // Recordings of earlier versions have no return.
    const brought = step.episode_return ?? this.steps.slice(0, at + 1).reduce((sum, { reward }) => sum + reward, 0);
    this.text.textContent = `step ${whole(at + 1)} of ${whole(this.steps.length)} · ${this.run.actions[step.action] ?? `action ${step.action}`} · reward ${brief(step.reward)} · return so far ${brief(brought, 5)}`;
  }

  #picture({ view: [left, bottom, right, top], shapes }, size, place) {
    // As large as fits, one unit as long across as up.
    const scale = Math.min(size / (right - left), 340 / (top - bottom));
    const context = place((right - left) * scale, (top - bottom) * scale);
    const x = (value) => (value - left) * scale, y = (value) => (top - value) * scale;
    const inks = { ground: inkOf('soft'), body: colorOf(0), limb: colorOf(3), goal: colorOf(2) };
    context.lineCap = context.lineJoin = 'round';
    for (const [kind, ink, ...numbers] of shapes) {
      context.fillStyle = context.strokeStyle = inks[ink];
      context.beginPath();
      if (kind === 'line') {
        const [width, ...points] = numbers;
        context.lineWidth = Math.max(width * scale, 1.5);
        for (let i = 0; i < points.length; i += 2) context.lineTo(x(points[i]), y(points[i + 1]));
        context.stroke();
      } else if (kind === 'disc') {
        const [radius, cx, cy] = numbers;
        context.arc(x(cx), y(cy), radius * scale, 0, 7);
        context.fill();
      } else {
        const [l, b, r, t] = numbers;
        context.fillRect(x(l), y(t), (r - l) * scale, (t - b) * scale);
      }
    }
  }

  /** How many observations are stacked, the oldest first. */
  get frames() {
    return Number(this.run.settings['wrappers.frame_stack'] ?? 1);
  }

  /** The first channel of the newest observation, from its lowest value to its highest. */
  #image(stacked, size, place) {
    const [channels, rows, columns] = this.run.image;
    const first = (channels - channels / this.frames) * rows * columns;
    const pixels = stacked.slice(first, first + rows * columns);
    const cell = Math.min(size / columns, 340 / rows);
    const context = place(columns * cell, rows * cell);
    const low = Math.min(...pixels), high = Math.max(...pixels);
    for (let i = 0; i < rows * columns; i++) {
      context.fillStyle = cividis(high > low ? (pixels[i] - low) / (high - low) : 0);
      context.fillRect((i % columns) * cell, Math.floor(i / columns) * cell, cell + 0.5, cell + 0.5);
    }
  }

  /** Every dimension of the newest observation against the steps, on a scale of its own, up to twelve of them. */
  #observations(at, context, size) {
    const all = this.steps[0].observation.length, first = all - all / this.frames;
    const dimensions = Math.min(all - first, 12), height = 240 / dimensions;
    context.font = '11px system-ui, sans-serif';
    for (let dimension = 0; dimension < dimensions; dimension++) {
      const values = this.steps.map(({ observation }) => observation[first + dimension]);
      const low = Math.min(...values), high = Math.max(...values);
      const x = (step) => 4 + ((size - 8) * step) / Math.max(this.steps.length - 1, 1);
      const y = (value) => height * (dimension + 0.9 - 0.65 * (high > low ? (value - low) / (high - low) : 0.5));
      context.strokeStyle = colorOf(dimension);
      context.lineWidth = 1.5;
      context.beginPath();
      values.forEach((value, step) => context.lineTo(x(step), y(value)));
      context.stroke();
      context.fillStyle = colorOf(dimension);
      context.beginPath();
      context.arc(x(at), y(values[at]), 4, 0, 7);
      context.fill();
      context.fillStyle = inkOf('soft');
      context.fillText(`${this.run.dimensions[first + dimension] ?? `observation ${first + dimension}`}: ${brief(values[at])}`, 4, height * dimension + 11);
    }
  }

  /** A bar an action, the one that was taken in colour. */
  #bars({ mean, epistemic_std: std, action }) {
    const width = Math.max(this.values.parentElement.clientWidth, 200), row = 44, height = row * mean.length + 22;
    this.values.setAttribute('viewBox', `0 0 ${width} ${height}`);
    const [low, high] = this.range;
    const x = (value) => 8 + ((value - low) / (high - low)) * (width - 16);
    const soft = inkOf('soft');
    const parts = mean.flatMap((value, index) => {
      const top = row * index, name = this.run.actions[index] ?? `action ${index}`;
      const label = svg('text', { x: 8, y: top + 14, fill: soft }, `${name}: ${brief(value, 4)} ± ${brief(std[index])}`);
      if (value == null) return [label];
      const color = index === action ? colorOf(0) : soft;
      const [from, to] = [x(Math.min(value, 0)), x(Math.max(value, 0))], middle = top + 28;
      const [left, right] = [x(value - std[index]), x(value + std[index])];
      return [
        label,
        svg('rect', { x: from, y: top + 20, width: Math.max(to - from, 1), height: 16, fill: color, opacity: index === action ? 0.85 : 0.35, rx: 2 }),
        svg('path', { d: `M${left} ${middle}H${right}M${left} ${middle - 5}v10M${right} ${middle - 5}v10`, stroke: inkOf('ink'), 'stroke-width': 1.6, fill: 'none' }),
      ];
    });
    this.values.replaceChildren(
      svg('line', { x1: x(0), x2: x(0), y1: 0, y2: height - 16, stroke: inkOf('line') }),
      ...parts,
      ...[low, high].map((value, i) => svg('text', { x: x(value), y: height - 3, fill: soft, 'text-anchor': i ? 'end' : 'start' }, brief(value))),
    );
  }
}
