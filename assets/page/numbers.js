// Numbers: how they are written, smoothed and put between others.

/** A number for people, to about `digits` significant digits; 1e-9 stays 1e-9. */
function brief(value, digits = 3) {
  if (value == null || !Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(Math.max(digits - 1, 0)).replace(/\.?0+e/, 'e').replace('e+', 'e');
  if (size >= 1000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(digits)));
}

/** Numbers beside the ticks of an axis, with as many digits as tell each from what is a hundredth of the way to the next. */
function ticked(values) {
  const numbers = values.filter((value) => value != null);
  const step = Math.min(...numbers.slice(1).map((value, i) => Math.abs(value - numbers[i])));
  const isTold = (digits) => numbers.every((value) => !(Math.abs(Number(brief(value, digits).replaceAll(',', '')) - value) > 0.01 * step));
  const digits = [3, 4, 5, 6, 7].find(isTold) ?? 8;
  return values.map((value) => (value == null ? '' : brief(value, digits)));
}

/** A count, with commas. */
const whole = (value) => (value == null ? '–' : Math.round(value).toLocaleString('en'));

/** Exponential moving average, its start corrected as Adam's moments are; what is missing stays missing. */
function smoothed(values, weight) {
  if (weight <= 0) return values;
  let mean = 0, mass = 0;
  return values.map((value) => {
    if (value == null) return value;
    mean = weight * mean + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    return mean / mass;
  });
}

/** The index of the first of ascending numbers that is not below `x`. */
function firstFrom(numbers, x) {
  let low = 0, high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] < x) low = middle + 1; else high = middle;
  }
  return low;
}

/** The value at `x` on the straight line between its neighbours; null outside. */
function between(xs, ys, x) {
  const after = firstFrom(xs, x);
  if (after >= xs.length) return null;
  if (xs[after] === x) return ys[after];
  if (after === 0) return null;
  const [x0, x1, y0, y1] = [xs[after - 1], xs[after], ys[after - 1], ys[after]];
  return y0 == null || y1 == null ? null : y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}

/** Rows in which both are numbers. */
function pairs(xs, ys) {
  const x = [], y = [];
  for (let i = 0; i < xs.length; i++) {
    if (xs[i] != null && ys[i] != null) { x.push(xs[i]); y.push(ys[i]); }
  }
  return [x, y];
}

/** Mean and band over runs, on one grid: `runs` are pairs of x and y. A point stands where at least two runs do, `count` are
 *  there in all. Each ends with another episode, so a run keeps its last value for a moment. */
function band(runs, kind, points = 300) {
  const used = runs.filter(([x]) => x.length > 1);
  const low = Math.min(...used.map(([x]) => x[0])), high = Math.max(...used.map(([x]) => x[x.length - 1]));
  const xs = [], mean = [], lower = [], upper = [];
  if (used.length < 2 || !(high > low)) return { xs, mean, lower, upper, count: used.length };
  const held = ([rx], x) => (x > rx[rx.length - 1] && x < rx[rx.length - 1] + 0.03 * high ? rx[rx.length - 1] : x);
  for (let i = 0; i < points; i++) {
    const x = low + ((high - low) * i) / (points - 1);
    const values = used.map(([rx, ry]) => between(rx, ry, held([rx], x))).filter((value) => value != null);
    if (values.length < 2) continue;
    const middle = values.reduce((sum, value) => sum + value, 0) / values.length;
    const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
    xs.push(x);
    mean.push(middle);
    lower.push(kind === 'range' ? Math.min(...values) : middle - spread);
    upper.push(kind === 'range' ? Math.max(...values) : middle + spread);
  }
  return { xs, mean, lower, upper, count: used.length };
}

/** An element with attributes and children. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
