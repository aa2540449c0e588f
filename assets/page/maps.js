// What the agent thinks of every place of a space of two dimensions, or of a plane through a larger one, and how often it was there.

/** Nuñez, Anderton & Renslow's cividis at nine places: rising in lightness for every kind of colour vision. */
const CIVIDIS = ['#00224e', '#123570', '#3b496c', '#575d6d', '#707173', '#8a8678', '#a59c74', '#c3b369', '#fee838']
  .map((color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)));

/** The colour at a share from 0 to 1. */
function cividis(share) {
  const at = Math.min(Math.max(share, 0), 1) * (CIVIDIS.length - 1), before = Math.min(Math.floor(at), CIVIDIS.length - 2);
  const mixed = CIVIDIS[before].map((from, i) => Math.round(from + (CIVIDIS[before + 1][i] - from) * (at - before)));
  return `rgb(${mixed.join()})`;
}

const MAPS = [
  { key: 'value', title: 'Value of the greedy action' },
  { key: 'greedy_action', title: 'Greedy action', isNamed: true },
  { key: 'epistemic_std', title: 'Epistemic standard deviation', isLogarithmic: true },
  { key: 'local_p', title: 'Local p of the greedy action', isLogarithmic: true },
];

/** Colours on a logarithmic scale do not tell apart what is a smaller share than this of the largest value. */
const LEAST_SHARE = 1e-4;

/** The maps of a run with a slider through time. */
class MapsPanel {
  /** `onCell` is told of a cell that is clicked, and says whether it shows its place. */
  constructor(root, run, onCell) {
    this.maps = run.maps;
    this.actions = run.actions;
    const [x, y] = this.maps.axes;
    root.hidden = false;
    this.slider = element('input', { type: 'range', min: 0, max: this.maps.moments.length - 1, value: this.maps.moments.length - 1 });
    this.output = element('output');
    this.visits = element('input', { type: 'checkbox' });
    this.visits.checked = true;
    this.readout = element('p', { class: 'note', role: 'status' }, 'Point at a cell for its numbers, click it for the objective of its local p.');
    const shown = MAPS.filter(({ key }) => this.maps.moments.some((moment) => moment[key].length > 0));
    this.plots = shown.map((map) => ({ ...map, range: this.#range(map), canvas: element('canvas', { role: 'img', 'aria-label': `${map.title} over ${x} and ${y}` }), scale: element('div', { class: 'scale' }) }));
    root.replaceChildren(
      element('h2', {}, 'What it thinks, place by place'),
      element('p', { class: 'note' }, `Across: ${x}. ${this.maps.is_grid ? 'Down' : 'Up'}: ${y}. Colours mean the same at all moments. The larger a dot, the more transitions of the replay start in the cell${this.maps.is_slice ? ', whatever their other variables are; values, actions and p are those where the other variables are at their median in the replay' : ''}.`),
      element('div', { class: 'controls' }, element('label', {}, 'after', this.slider, this.output), element('label', {}, this.visits, 'visits on top')),
      element('div', { class: 'maps' }, ...this.plots.map(({ title, canvas, scale }) => element('figure', {}, element('h3', {}, title), canvas, scale))),
      this.readout,
    );
    this.slider.oninput = () => this.draw();
    this.visits.onchange = () => this.draw();
    for (const plot of this.plots) {
      plot.canvas.onpointermove = (event) => this.#tell(this.#cellAt(plot, event));
      plot.canvas.onclick = (event) => {
        const cell = this.#cellAt(plot, event);
        this.#tell(cell);
        run.cell = cell;
        if (onCell()) this.readout.append(' · why its p is where it is stands above');
      };
    }
    new ResizeObserver(() => this.draw()).observe(root);
  }

  /** From the lowest to the highest of all moments. */
  #range({ key, isLogarithmic }) {
    let [low, high] = [Infinity, -Infinity];
    for (const moment of this.maps.moments) for (const value of moment[key]) if (value != null) { low = Math.min(low, value); high = Math.max(high, value); }
    return isLogarithmic && high > 0 ? [Math.min(Math.max(low, high * LEAST_SHARE), high / 10), high] : [low, high];
  }

  get moment() {
    return this.maps.moments[Number(this.slider.value)];
  }

  color(plot, value) {
    if (value == null) return 'transparent';
    if (plot.isNamed) return colorOf(value);
    const [low, high] = plot.range;
    if (plot.isLogarithmic && low > 0) return cividis(Math.log(Math.max(value, low) / low) / Math.log(high / low));
    return cividis(high > low ? (value - low) / (high - low) : 0.5);
  }

  draw() {
    this.output.textContent = `${whole(this.moment.env_steps)} steps`;
    this.plots.forEach((plot) => this.#paint(plot));
  }

  #paint(plot) {
    const { canvas, key, scale } = plot;
    const columns = this.maps.x.length, rows = this.maps.y.length;
    const width = Math.max(canvas.parentElement.clientWidth, 120), height = Math.round(this.maps.is_grid ? (width * rows) / columns : width * 0.72);
    const ratio = window.devicePixelRatio || 1;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext('2d');
    context.scale(ratio, ratio);
    const [w, h] = [width / columns, height / rows];
    const most = Math.log1p(Math.max(1, ...this.moment.visits));
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const cell = row * columns + column;
        // Row 0 of a grid is on top; elsewhere y rises upwards.
        const top = (this.maps.is_grid ? row : rows - 1 - row) * h;
        context.fillStyle = this.color(plot, this.moment[key][cell]);
        // Half a pixel over, so that no gaps shine through.
        context.fillRect(column * w, top, w + 0.5, h + 0.5);
        const visits = this.moment.visits[cell];
        if (this.visits.checked && visits > 0) {
          const radius = (Math.min(w, h) * 0.36 * Math.log1p(visits)) / most;
          context.beginPath();
          context.arc((column + 0.5) * w, top + h / 2, Math.max(radius, 0.6), 0, 7);
          context.fillStyle = '#ffffffb0';
          context.fill();
          context.strokeStyle = '#00000080';
          context.lineWidth = 0.6;
          context.stroke();
        }
      }
    }
    if (plot.isNamed) {
      const shown = [...new Set(this.maps.moments.flatMap((moment) => moment[key]))].filter((action) => action != null).sort((a, b) => a - b);
      scale.replaceChildren(...shown.map((action) => element('span', {}, element('i', { style: `background:${colorOf(action)}` }), this.actions[action] ?? `action ${action}`)));
    } else {
      const colors = CIVIDIS.map(([r, g, b]) => `rgb(${r},${g},${b})`).join();
      scale.replaceChildren(`${plot.isLogarithmic ? '≤ ' : ''}${brief(plot.range[0])}`, element('b', { style: `background:linear-gradient(90deg,${colors})` }), brief(plot.range[1]));
    }
  }

  /** The number of the cell at the pointer. */
  #cellAt({ canvas }, event) {
    const box = canvas.getBoundingClientRect();
    const columns = this.maps.x.length, rows = this.maps.y.length;
    const at = (share, count) => Math.min(Math.max(Math.floor(share * count), 0), count - 1);
    const column = at((event.clientX - box.left) / box.width, columns), down = at((event.clientY - box.top) / box.height, rows);
    return (this.maps.is_grid ? down : rows - 1 - down) * columns + column;
  }

  #tell(cell) {
    const columns = this.maps.x.length, column = cell % columns, row = Math.floor(cell / columns);
    const { moment } = this, [x, y] = this.maps.axes;
    const parts = [`${x} ${brief(this.maps.x[column])}, ${y} ${brief(this.maps.y[row])}: ${whole(moment.visits[cell])} transitions`];
    parts.push(`value ${brief(moment.value[cell])} ± ${brief(moment.epistemic_std[cell])}`, this.actions[moment.greedy_action[cell]] ?? `action ${brief(moment.greedy_action[cell])}`);
    if (moment.local_p.length > 0) parts.push(`local p ${brief(moment.local_p[cell])}`);
    this.readout.textContent = parts.join(' · ');
  }
}
