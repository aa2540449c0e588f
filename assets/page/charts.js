// The charts. What each shows is a list below; how it is drawn is uPlot's.

/** The charts of one run: series are columns of its tables. `{layer}` stands for every layer. */
const CHARTS = [
  {
    id: 'return', title: 'Episode return', threshold: true,
    series: [
      { table: 'episodes', column: 'episode_return', label: 'episode', dots: true },
      { table: 'episodes', column: 'mean_return_100', label: 'mean of 100' },
      { table: 'evaluations', column: 'mean_return', label: 'evaluation', marks: true },
    ],
  },
  {
    id: 'p', title: 'Dropout probability p, and N', log: true, hasLinear: true, decades: 10,
    series: [
      { table: 'course', column: '{layer}' },
      { table: 'course', column: 'dataset_size', label: 'N (right axis)', right: true, color: 6 },
    ],
  },
  {
    id: 'uncertainty', title: 'Standard deviations, in units of the return', log: true, hasLinear: true,
    series: [
      { table: 'updates', column: 'epistemic_std', label: 'epistemic, of batches' },
      { table: 'episodes', column: 'epistemic_std', label: 'epistemic, of episodes', color: 5 },
      { table: 'episodes', column: 'aleatoric_std', label: 'aleatoric', color: 1 },
    ],
  },
  {
    id: 'td', title: 'TD error, and mean Q', hasLog: true,
    series: [
      { table: 'updates', column: 'td_error', label: 'absolute TD error', color: 1 },
      { table: 'updates', column: 'q_mean', label: 'mean Q', color: 0 },
    ],
  },
  {
    id: 'loss', title: 'The loss and its parts, in network units',
    series: [
      { table: 'updates', column: 'loss', label: 'loss', color: 6 },
      { table: 'updates', column: 'data_term', label: 'data' },
      { table: 'updates', column: 'weight_term', label: 'weights' },
      { table: 'updates', column: 'entropy_term', label: 'entropy of p' },
      { table: 'updates', column: 'precision_term', label: 'prior of τ' },
    ],
  },
  {
    id: 'exploratory', title: 'Share of decisions that were not greedy',
    series: [{ table: 'episodes', column: 'exploratory_share', label: 'share of an episode' }],
  },
  {
    id: 'precision', title: 'Precision τ', log: true, hasLinear: true,
    series: [{ table: 'course', column: 'precision', label: 'τ', color: 4 }],
  },
  {
    id: 'length', title: 'Episode length, in steps',
    series: [{ table: 'episodes', column: 'episode_length', label: 'steps' }],
  },
  {
    id: 'speed', title: 'Speed, in environment steps a second', optional: true,
    series: [{ table: 'speed', column: 'steps_per_second', label: 'steps a second' }],
  },
];

/** The charts of several runs: one quantity of each. */
const COMPARED = [
  { id: 'return', title: 'Return, mean of 100 episodes', table: 'episodes', column: 'mean_return_100', threshold: true },
  { id: 'evaluation', title: 'Return of the evaluations', table: 'evaluations', column: 'mean_return', threshold: true },
  { id: 'p', title: 'Dropout probability, {layer}', table: 'course', column: '{layer}', log: true, hasLinear: true, decades: 10 },
  { id: 'epistemic', title: 'Epistemic standard deviation, of batches', table: 'updates', column: 'epistemic_std', log: true, hasLinear: true },
  { id: 'td', title: 'Absolute TD error', table: 'updates', column: 'td_error', hasLog: true },
  { id: 'exploratory', title: 'Share of decisions that were not greedy', table: 'episodes', column: 'exploratory_share' },
  { id: 'loss', title: 'Loss, in network units', table: 'updates', column: 'loss' },
  { id: 'dataset', title: 'N', table: 'course', column: 'dataset_size' },
];

/** Means of stretches, and after them the rows that came since. */
function continued(means, rows, until) {
  const from = firstFrom(rows.total_steps, until + 1);
  return Object.fromEntries(Object.keys(means).map((name) => [name, [...means[name], ...(rows[name] ?? []).slice(from)]]));
}

/** A run's tables, with the columns that follow from them. */
class RunTables {
  constructor(run) {
    this.run = run;
    this.refresh();
  }

  /** What follows from the rows, anew. */
  refresh() {
    const { episodes, updates } = this.run.tables;
    this.layers = Object.keys(episodes).concat(Object.keys(updates)).filter((name, i, all) => /^p_\d+$/.test(name) && all.indexOf(name) === i);
    this.course = this.#course(episodes, updates);
    const { means } = this.run;
    this.averaged = {};
    if (means) {
      const averaged = Object.fromEntries(['episodes', 'updates', 'evaluations'].map((name) => {
        const rows = this.run.tables[name];
        return [name, means[name] ? continued(means[name], rows, means.until) : rows];
      }));
      this.averaged = { ...averaged, course: this.#course(averaged.episodes, averaged.updates) };
    }
    this.speed = this.#speed(episodes);
  }

  /** What changes whether episodes end or not, of both tables in one order. */
  #course(episodes, updates) {
    const columns = ['total_steps', 'dataset_size', 'precision', ...this.layers];
    const rows = [episodes, updates].flatMap((table, which) => (table.total_steps || []).map((step, row) => [step, 1 - which, table, row]));
    rows.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const of = (name) => rows.map(([, , table, row]) => (table[name] ? table[name][row] : null));
    return Object.fromEntries(columns.map((name) => [name, of(name)]));
  }

  /** From one episode's end to one at least a second later. */
  #speed(episodes) {
    const speed = { total_steps: [], steps_per_second: [] };
    if (!episodes.seconds) return speed;
    const resumed = this.run.meta?.resumed ?? [];
    let last = null;
    episodes.seconds.forEach((seconds, row) => {
      if (seconds == null) return;
      const step = episodes.total_steps[row];
      // The run was off for a part of that time.
      if (last && resumed.some((resumption) => last.step <= resumption.step && resumption.step < step)) last = null;
      if (last && seconds - last.seconds >= 1) {
        speed.total_steps.push(step);
        speed.steps_per_second.push((step - last.step) / (seconds - last.seconds));
      }
      if (!last || seconds - last.seconds >= 1) last = { seconds, step };
    });
    return speed;
  }

  table(name) {
    return this[name] || this.run.tables[name];
  }

  /** x and y of a column; steps as what `axis` says. Of a long table there are means of stretches, for what is to be averaged
   *  or smoothed, since the rows that are left of it are its extremes. */
  points(table, column, axis, isAveraged = false) {
    const rows = (isAveraged && this.averaged[table]) || this.table(table);
    if (!rows || !rows[column]) return [[], []];
    if (axis === 'steps') return pairs(rows.total_steps, rows[column]);
    const { episodes } = this.run.tables;
    const other = { episodes: episodes.episode, time: episodes.seconds }[axis] || [];
    if (rows === episodes) return pairs(other, rows[column]);
    const [steps, others] = [[0, ...episodes.total_steps], [0, ...other]];
    const xs = rows.total_steps.map((step) => between(steps, others, step));
    // What is last is seen, though the episode under way has not ended.
    if (xs.length > 0 && steps.length > 1) xs[xs.length - 1] ??= others[others.length - 1];
    return pairs(xs, rows[column]);
  }

  /** Where the x axis ends. */
  end(axis) {
    const last = ({ length, [length - 1]: value }) => value ?? 0;
    const { episodes, evaluations } = this.run.tables;
    if (axis === 'episodes') return last(episodes.episode);
    if (axis === 'time') return last(episodes.seconds);
    return Math.max(last(this.course.total_steps), last(evaluations.total_steps));
  }

  isLocal(column) {
    return this.run.has_local_dropout && column === this.layers[this.layers.length - 1];
  }

  /** What drops with the p of a column: a layer, by its column, or `local`. Runs of other networks have it in another column. */
  partOf(column) {
    return this.isLocal(column) ? 'local' : column;
  }

  /** The column of such a part; null where this run has none. */
  columnOf(part) {
    return this.layers.find((column) => this.partOf(column) === part) ?? null;
  }

  /** What drops with the p of a column, where it is plain that p is meant. */
  layerName(column) {
    return this.isLocal(column) ? 'local p, mean' : `layer ${column.slice(2)}`;
  }

  /** The p of a column, where it is not. */
  pName(column) {
    return this.isLocal(column) ? 'local p, mean' : `p, ${this.layerName(column)}`;
  }
}

const AXIS_NAMES = { steps: 'environment steps', episodes: 'episodes', time: 'seconds' };

/** The colour of the n-th series, as the style sheet has it now. */
const colorOf = (index) => getComputedStyle(document.documentElement).getPropertyValue(`--c${index % 7}`).trim();
const inkOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
/** A colour, so much of it. */
const faded = (color, share) => color + Math.round(share * 255).toString(16).padStart(2, '0');

/** A card with a chart on it. `lines(view)` says what to draw. */
class Chart {
  constructor(spec, lines) {
    this.spec = spec;
    this.lines = lines;
    this.isLog = Boolean(spec.log);
    this.plot = null;
    this.shape = '';
    this.head = element('div', { class: 'head' }, element('h3', {}, spec.title));
    this.body = element('div', {});
    this.card = element('div', { class: 'card', 'data-chart': spec.id }, this.head, this.body);
    if (spec.hasLinear || spec.hasLog) {
      this.toggle = element('button', { type: 'button' });
      this.toggle.onclick = () => { this.isLog = !this.isLog; this.draw(this.view); };
      this.head.append(this.toggle);
    }
    new ResizeObserver(() => this.#fit()).observe(this.card);
  }

  /** Draws what `view` asks for: axis, smoothing, how runs are put together. */
  draw(view) {
    this.view = view;
    const lines = this.lines(view).filter((line) => line.x.length > 0);
    if (this.toggle) {
      this.toggle.textContent = this.isLog ? 'logarithmic' : 'linear';
      this.toggle.title = `The axis is ${this.toggle.textContent}; click for the other.`;
    }
    this.card.hidden = Boolean(this.spec.optional) && lines.length === 0;
    if (lines.length === 0) {
      this.#clear();
      this.body.replaceChildren(element('div', { class: 'empty' }, 'nothing yet'));
      return;
    }
    const data = this.#aligned(lines);
    // The same lines with more points keep the chart, and where it was zoomed to.
    const shape = JSON.stringify([lines.map(({ label, color, kind, scale }) => [label, color, kind, scale]), this.isLog, view.axis, view.theme]);
    if (this.plot && shape === this.shape) {
      const x = this.plot.scales.x;
      this.plot.setData(data, !this.isZoomed);
      if (this.isZoomed) this.plot.setScale('x', { min: x.min, max: x.max });
    } else {
      const hidden = this.plot ? this.plot.series.filter((series) => !series.show).map((series) => series.label) : [];
      this.#clear();
      this.body.replaceChildren();
      this.shape = shape;
      this.plot = new uPlot(this.#options(lines, hidden), data, this.body);
      this.body.querySelector('canvas').setAttribute('role', 'img');
      this.body.querySelector('canvas').setAttribute('aria-label', `${this.spec.title}: ${lines.map((line) => line.label).join(', ')}`);
    }
  }

  /** How many points are drawn. */
  get points() {
    return this.plot ? this.plot.data[0].length : 0;
  }

  #clear() {
    if (this.plot) this.plot.destroy();
    this.plot = null;
    this.isZoomed = false;
  }

  #size() {
    return { width: Math.max(this.card.clientWidth - 20, 200), height: 240 };
  }

  #fit() {
    const { width, height } = this.#size();
    if (this.plot && this.plot.width !== width) this.plot.setSize({ width, height });
  }

  /** Where a log axis ends below: at the lowest value, unless that is so many decades below the highest. */
  #bottom(lines) {
    let [low, high] = [Infinity, 0];
    for (const line of lines) {
      if (line.scale !== 'right') for (const y of line.y) if (y > 0) { low = Math.min(low, y); high = Math.max(high, y); }
    }
    return high > 0 ? Math.max(10 ** Math.floor(Math.log10(low)), 10 ** (Math.ceil(Math.log10(high)) - (this.spec.decades || 5))) : 1e-3;
  }

  /** All lines over the x of all of them. What is missing in one is passed over; on a log axis what is lower, zeros among
   *  it, lies on the lower edge. */
  #aligned(lines) {
    this.bottom = this.#bottom(lines);
    const shown = (line) => (this.isLog && line.scale !== 'right' ? line.y.map((y) => (y == null ? y : Math.max(y, this.bottom))) : line.y);
    // All charts have the same x axis, from 0 on.
    return uPlot.join([[[0, this.view.end]], ...lines.map((line) => [line.x, shown(line)])]);
  }

  #options(lines, hidden) {
    const soft = inkOf('soft'), grid = inkOf('grid');
    const axis = { stroke: soft, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 }, font: '11px system-ui, sans-serif' };
    const numbers = (plot, splits) => ticked(splits);
    const width = (plot, values) => 20 + 6.5 * Math.max(3, ...(values || []).map((value) => value.length));
    const axes = [
      { ...axis, values: numbers, label: AXIS_NAMES[this.view.axis], labelSize: 18, labelFont: '11px system-ui, sans-serif', size: 30 },
      { ...axis, scale: 'y', values: numbers, size: width },
    ];
    if (lines.some((line) => line.scale === 'right')) axes.push({ ...axis, scale: 'right', side: 1, values: numbers, size: width, grid: { show: false } });
    const levels = lines.filter((line) => line.kind === 'level').map((line) => line.y[0]);
    return {
      ...this.#size(),
      scales: {
        x: { time: false },
        y: { distr: this.isLog ? 3 : 1, range: (plot, low, high) => (this.isLog ? [this.bottom, 10 ** Math.ceil(Math.log10(Math.max(high, this.bottom * 10)))] : padded(low, high, levels)) },
        right: { range: (plot, low, high) => [0, (high || 1) * 1.05] },
      },
      axes,
      cursor: { sync: { key: 'x', setSeries: false }, drag: { x: true, y: false, uni: 10 }, points: { size: 6 } },
      legend: { live: true },
      hooks: { setScale: [(plot, key) => { if (key === 'x') this.#noteZoom(plot); }] },
      bands: lines.flatMap((line, index) => (line.kind === 'upper' ? [{ series: [index + 1, index + 2], fill: faded(colorOf(line.color), 0.16) }] : [])),
      series: [{ label: AXIS_NAMES[this.view.axis].replace('environment ', ''), value: (plot, value) => brief(value, 6) }, ...lines.map((line) => ({ ...this.#series(line), show: !hidden.includes(line.label) }))],
    };
  }

  #noteZoom(plot) {
    const xs = plot.data[0];
    this.isZoomed = xs.length > 1 && (plot.scales.x.min > xs[0] || plot.scales.x.max < xs[xs.length - 1]);
  }

  #series(line) {
    const color = colorOf(line.color), ink = inkOf('soft');
    const base = { label: line.label, scale: line.scale || 'y', stroke: color, width: 1.8, value: (plot, value) => (this.isLog && value === this.bottom ? `≤ ${brief(value)}` : brief(value)), points: { show: false } };
    switch (line.kind) {
      case 'dots': return { ...base, stroke: faded(color, 0.45), paths: () => null, points: { show: true, size: 3.5, fill: faded(color, 0.45), stroke: 'transparent', width: 0 } };
      case 'marks': return { ...base, points: { show: true, size: 7, fill: color, stroke: color } };
      case 'level': return { ...base, stroke: ink, width: 1, dash: [6, 4] };
      case 'faint': return { ...base, stroke: faded(color, 0.3), width: 1 };
      case 'upper': case 'lower': return { ...base, class: 'bound', stroke: faded(color, 0.25), width: 0.5 };
      case 'dashed': return { ...base, dash: [8, 4] };
      default: return base;
    }
  }
}

/** A range around the data and the levels, with some air. */
function padded(low, high, levels) {
  const all = [low, high, ...levels].filter((value) => value != null && Number.isFinite(value));
  if (all.length === 0) return [0, 1];
  const [from, to] = [Math.min(...all), Math.max(...all)];
  const air = (to - from || Math.abs(to) || 1) * 0.06;
  return [from >= 0 && from - air < 0 ? 0 : from - air, to + air];
}

/** The lines of a chart of one run. */
function linesOfRun(tables, spec) {
  return (view) => {
    let color = 0;
    const lines = spec.series.flatMap((series) => {
      const columns = series.column === '{layer}' ? tables.layers : [series.column];
      return columns.map((column) => {
        const own = series.color ?? color++;
        const label = series.label || tables.layerName(column);
        const kind = series.dots ? 'dots' : series.marks ? 'marks' : own >= 7 ? 'dashed' : 'line';
        const isSmoothed = view.smoothing > 0 && kind === 'line' && !series.right;
        const [x, y] = tables.points(series.table, column, view.axis, isSmoothed);
        return { x, y: isSmoothed ? smoothed(y, view.smoothing) : y, label, color: own, kind, scale: series.right ? 'right' : 'y' };
      });
    });
    const { reward_threshold: threshold } = tables.run;
    if (spec.threshold && threshold != null && lines.some((line) => line.x.length > 0)) lines.push(level(view, threshold));
    return lines;
  };
}

function level(view, value) {
  return { x: [0, view.end], y: [value, value], label: `threshold ${brief(value)}`, color: 6, kind: 'level' };
}

/** The lines of a chart of several runs: `runs` are those that are switched on, and `columnOf` is the column of a run. */
function linesOfRuns(runs, spec, columnOf) {
  return (view) => {
    const all = runs().map((run) => {
      const isAveraged = view.together !== 'apart' || view.smoothing > 0;
      const [x, y] = run.tables.points(spec.table, columnOf(run.tables), view.axis, isAveraged);
      return { run, x, y: smoothed(y, view.smoothing) };
    }).filter((line) => line.x.length > 0);
    const lines = [];
    const settings = [...new Set(all.map((line) => line.run.setting))];
    for (const setting of settings) {
      const own = all.filter((line) => line.run.setting === setting);
      const { xs, mean, lower, upper, count } = band(own.map(({ x, y }) => [x, y]), view.together);
      if (view.together === 'apart' || xs.length === 0) {
        const kind = (run, x) => (x.length === 1 ? 'marks' : run.color >= 7 ? 'dashed' : 'line');
        lines.push(...own.map(({ run, x, y }) => ({ x, y, label: run.label, color: run.color, kind: kind(run, x) })));
        continue;
      }
      const { color } = own[0].run;
      // Right after each other, since the band is filled between them.
      lines.push({ x: xs, y: upper, label: `${setting}, upper`, color, kind: 'upper' });
      lines.push({ x: xs, y: lower, label: `${setting}, lower`, color, kind: 'lower' });
      lines.push({ x: xs, y: mean, label: `${setting}, mean of ${count}`, color, kind: color >= 7 ? 'dashed' : 'line' });
    }
    const thresholds = new Set(all.map((line) => line.run.tables.run.reward_threshold));
    const [threshold] = thresholds;
    if (spec.threshold && thresholds.size === 1 && threshold != null) lines.push(level(view, threshold));
    return lines;
  };
}
