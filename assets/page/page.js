// The page: what its data say, drawn, and kept up to date while the run trains.

class ReportPage {
  constructor(data) {
    this.take(data);
    this.charts = [];
    this.view = { axis: 'steps', smoothing: 0, together: 'std', theme: 0 };
    this.#controls();
    this.#chooseCharts();
    this.landscape = new LandscapeWidget(document.getElementById('landscape'), () => this.shown());
    this.#pictures();
    this.draw();
    // Colours are read when something is drawn.
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { this.view.theme++; this.draw(); this.landscape.draw(); this.maps?.draw(); this.episode?.draw(); });
    if (data.live) this.#follow(data.live);
  }

  /** Takes data in, in place of what there is. */
  take(data) {
    this.data = data;
    const shorts = data.runs.map((run) => run.short);
    const settings = [...new Set(data.runs.map((run) => run.setting))];
    const old = this.runs || [];
    this.runs = data.runs.map((run, index) => ({
      tables: new RunTables(run),
      setting: run.setting,
      // Runs of the same settings and seed have nothing but their folders to be told apart by.
      label: shorts.filter((short) => short === run.short).length > 1 ? `${run.short}, ${run.name}` : run.short,
      settingColor: settings.indexOf(run.setting),
      color: index,
      isOn: old[index] ? old[index].isOn : true,
    }));
  }

  /** Takes data in and draws all of it. What there is to draw can be more than before: runs, and layers, which a run without rows has none of. */
  replace(data) {
    const shape = () => JSON.stringify(this.runs.map(({ tables }) => tables.layers));
    const before = shape();
    this.take(data);
    if (shape() !== before) {
      this.#controls();
      this.#chooseCharts();
    }
    this.draw();
    this.landscape.refresh();
  }

  /** The runs that are switched on. */
  shown() {
    return this.runs.filter((run) => run.isOn);
  }

  get isCompared() {
    return this.runs.length > 1;
  }

  #controls() {
    const [axis, smoothing, together] = ['axis', 'smoothing', 'together'].map((id) => document.getElementById(id));
    const hasTime = [...axis.options].some((option) => option.value === 'time');
    if (!hasTime && this.runs.every(({ tables }) => tables.run.tables.episodes.seconds)) axis.append(element('option', { value: 'time' }, 'time, in seconds'));
    axis.onchange = () => { this.view.axis = axis.value; this.draw(); };
    smoothing.oninput = () => {
      this.view.smoothing = Number(smoothing.value);
      smoothing.nextElementSibling.textContent = smoothing.value;
      this.draw();
    };
    together.onchange = () => { this.view.together = together.value; this.draw(); };
    document.getElementById('together-label').hidden = !this.isCompared;
  }

  #chooseCharts() {
    if (!this.isCompared) {
      this.charts = CHARTS.map((spec) => new Chart(spec, (view) => linesOfRun(this.runs[0].tables, spec)(view)));
    } else {
      const parts = [...new Set(this.runs.flatMap(({ tables }) => tables.layers.map((column) => tables.partOf(column))))];
      parts.sort((a, b) => (a === 'local') - (b === 'local'));
      const specs = COMPARED.flatMap((spec) => (spec.column !== '{layer}' ? [{ spec, columnOf: () => spec.column }] : parts.map((part) => {
        const { tables } = this.runs.find((run) => run.tables.columnOf(part));
        const title = spec.title.replace('{layer}', tables.layerName(tables.columnOf(part)));
        return { spec: { ...spec, id: part, title }, columnOf: (other) => other.columnOf(part) };
      })));
      this.charts = specs.map(({ spec, columnOf }) => new Chart(spec, (view) => linesOfRuns(() => this.shown(), spec, columnOf)(view)));
    }
    document.getElementById('charts').replaceChildren(...this.charts.map((chart) => chart.card));
  }

  /** What only some runs have, and only a page of one of them shows. */
  #pictures() {
    const [{ tables: { run } }] = this.runs;
    if (this.isCompared) return;
    if (run.recording?.steps.length) this.episode = new EpisodePanel(document.getElementById('episode'), run);
    if (run.maps) this.maps = new MapsPanel(document.getElementById('maps'), run, () => this.landscape.choosePlace());
  }

  draw() {
    // A setting's runs share its colour where they are drawn as one.
    for (const run of this.runs) run.color = this.view.together === 'apart' ? this.runs.indexOf(run) : run.settingColor;
    // An axis has two ends, also before anything happened.
    this.view.end = Math.max(1, ...this.shown().map(({ tables }) => tables.end(this.view.axis)));
    this.#head();
    this.#list();
    this.#details();
    for (const chart of this.charts) chart.draw(this.view);
  }

  #head() {
    const [first] = this.runs;
    const { run } = first.tables;
    const title = this.isCompared ? `${this.runs.length} runs` : run.title;
    document.getElementById('title').textContent = title;
    document.title = `${title} · concrete-dqn`;
    if (!this.isCompared) this.#figures(run);
    const kept = this.runs.some(({ tables }) => ['episodes', 'updates'].some((name) => tables.run.rows[name] > tables.run.tables[name].total_steps.length));
    document.getElementById('thinned').textContent = kept ? 'Long tables are thinned out: of every stretch the rows with the lowest and highest values are drawn, so that no peak is missing.' : '';
    this.#state(this.state || (this.data.live ? 'training' : run.summary ? run.summary.ended : 'not ended'));
  }

  #state(text) {
    const state = document.getElementById('state');
    state.hidden = this.isCompared && !this.data.live;
    state.textContent = text;
    state.dataset.state = text.split(' ')[0];
  }

  /** What there is to say of one run in numbers. */
  #figures(run) {
    const { episodes, updates, evaluations } = run.tables;
    const last = (column) => (column && column.length > 0 ? column[column.length - 1] : null);
    const { tables } = this.runs[0];
    const { course } = tables;
    const figures = [];
    const add = (name, value) => figures.push([name, value]);
    const summary = run.summary && !this.data.live ? run.summary : null;
    add('return, mean of 100', brief(last(episodes.mean_return_100), 4));
    if (summary && summary.evaluation) add(`evaluation, ${summary.evaluation.episodes} episodes`, `${brief(summary.evaluation.mean_return, 4)} ± ${brief(summary.evaluation.std_return)}`);
    else if (evaluations.total_steps.length > 0) add('last evaluation', brief(last(evaluations.mean_return), 4));
    if (run.reward_threshold != null) {
      const reached = summary ? summary.solved_at_step : this.#reached(run);
      add(`threshold ${brief(run.reward_threshold)}`, reached != null ? `at step ${whole(reached)}` : 'not reached');
    }
    add('steps', whole(summary ? summary.total_steps : last(course.total_steps)));
    add('episodes', whole(last(episodes.episode)));
    tables.layers.forEach((column) => add(tables.pName(column), brief(last(course[column]))));
    add('N', whole(last(course.dataset_size)));
    add('τ', brief(last(course.precision)));
    add('epistemic std', brief(last(updates.epistemic_std) ?? last(episodes.epistemic_std)));
    if (summary) add('steps a second', whole(summary.steps_per_second));
    else if (this.speed) add('steps a second', whole(this.speed));
    document.getElementById('figures').replaceChildren(...figures.map(([name, value]) => element('div', { class: 'figure' }, element('span', {}, name), element('b', {}, value))));
  }

  /** Where the mean of 100 episodes reached the threshold, as far as the rows on the page tell. */
  #reached(run) {
    const { episodes } = run.tables;
    const row = episodes.episode.findIndex((episode, i) => episode >= 100 && episodes.mean_return_100[i] >= run.reward_threshold);
    return row < 0 ? null : episodes.total_steps[row];
  }

  /** The runs of the page, to be switched on and off, with the settings in which they differ. */
  #list() {
    const section = document.getElementById('runs');
    section.hidden = !this.isCompared;
    if (!this.isCompared) return;
    const keys = [...new Set(this.runs.flatMap(({ tables }) => Object.keys(tables.run.settings)))];
    const differing = keys.filter((key) => new Set(this.runs.map(({ tables }) => tables.run.settings[key])).size > 1);
    const row = (run) => {
      const { summary, settings } = run.tables.run;
      const box = element('input', { type: 'checkbox' });
      box.checked = run.isOn;
      box.onchange = () => { run.isOn = box.checked; this.draw(); };
      const swatch = element('span', { class: 'swatch', style: `background:${colorOf(run.color)}` });
      return element('tr', {},
        element('td', {}, element('label', {}, box, ' ', swatch, run.label)),
        ...differing.map((key) => element('td', {}, (settings[key] ?? '–').replaceAll('"', ''))),
        element('td', {}, summary && summary.evaluation ? brief(summary.evaluation.mean_return, 4) : '–'),
        element('td', {}, summary ? brief(summary.mean_return_100, 4) : '–'),
        element('td', {}, summary && summary.solved_at_step != null ? whole(summary.solved_at_step) : '–'));
    };
    section.replaceChildren(element('table', {},
      element('tr', {}, ...['run', ...differing, 'evaluation', 'last 100', 'threshold at step'].map((name) => element('th', {}, name))),
      ...this.runs.map(row)));
  }

  /** Settings and origin. */
  #details() {
    const section = document.getElementById('details');
    if (section.childElementCount > 0 && !this.isOver) return;
    const of = ({ tables: { run }, label }) => {
      const block = (name, text) => element('details', {}, element('summary', {}, name), element('pre', {}, text));
      const blocks = [block('settings, config.toml', run.config)];
      if (run.summary) blocks.push(block('what it came to, summary.json', JSON.stringify(run.summary, null, 2)));
      if (run.meta) blocks.push(block('where it comes from, meta.json', JSON.stringify(run.meta, null, 2)));
      return this.isCompared ? [element('details', {}, element('summary', {}, label), ...blocks)] : blocks;
    };
    section.replaceChildren(element('h2', {}, 'Settings and origin'), ...this.runs.flatMap(of), element('p', { class: 'note' }, `Made by concrete-dqn ${this.data.version}.`));
  }

  /** Keeps the page up to date. */
  #follow({ token, after }) {
    const source = new EventSource(`events?token=${encodeURIComponent(token)}&after=${encodeURIComponent(after)}`);
    let before = null;
    source.addEventListener('rows', (event) => {
      const added = JSON.parse(event.data);
      const { tables } = this.runs[0];
      append(tables.run, added);
      tables.refresh();
      this.state = 'training';
      const steps = tables.course.total_steps, now = performance.now();
      const step = steps.length > 0 ? steps[steps.length - 1] : 0;
      if (before && step > before.step) this.speed = ((step - before.step) / (now - before.now)) * 1000;
      if (!before || step > before.step) before = { step, now };
      this.draw();
      this.landscape.refresh();
    });
    source.addEventListener('page', (event) => this.replace(JSON.parse(event.data)));
    source.addEventListener('reload', () => { source.close(); location.reload(); });
    source.addEventListener('end', (event) => {
      source.close();
      this.isOver = true;
      this.state = null;
      this.replace(JSON.parse(event.data));
      this.#pictures();
      document.getElementById('data').textContent = event.data;
    });
    source.onerror = () => {
      if (this.isOver) return;
      this.state = 'lost: the training does not answer; the page shows what it last said';
      this.#state(this.state);
    };
    source.onopen = () => { this.state = 'training'; this.#state(this.state); };
  }
}

/** Adds rows to the tables of a run. A column that has not been there is missing in the rows before. */
function append(run, added) {
  for (const [name, columns] of Object.entries(added)) {
    const table = run.tables[name];
    const before = Math.max(0, ...Object.values(table).map((values) => values.length));
    const rows = Math.max(0, ...Object.values(columns).map((values) => values.length));
    if (rows === 0) continue;
    for (const column of new Set([...Object.keys(table), ...Object.keys(columns)])) {
      table[column] ??= Array(before).fill(null);
      table[column].push(...(columns[column] || Array(rows).fill(null)));
    }
    if (name in run.rows) run.rows[name] += rows;
  }
}

window.report = new ReportPage(JSON.parse(document.getElementById('data').textContent));
