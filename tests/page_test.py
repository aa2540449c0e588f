#!/usr/bin/env python3
"""The page in a real browser: page_test.py PROGRAM

Trains with --dashboard and watches, opens the report from disk, plays with the objective, compares runs. Needs Debian's
chromium and chromium-driver; nothing else but Python. tests/page.rs runs it where they are.
"""

import json
import math
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

PROGRAM = Path(sys.argv[1])
QUICK = ["--set=network.hidden=[32,32]", "--set=agent.learning_starts=100", "--set=evaluation.episodes=2"]
# How long to wait for what must come, on however busy a machine.
PATIENCE = 120


class Browser:
    """Chromium, driven by WebDriver over HTTP (https://www.w3.org/TR/webdriver2/)."""

    def __init__(self, folder):
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for line in self.driver.stdout:
            if port := re.search(r"started successfully on port (\d+)", line):
                self.base = f"http://127.0.0.1:{port[1]}/session"
                break
        arguments = [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
            "--disable-sync", "--disable-component-update", "--hide-scrollbars", f"--user-data-dir={folder}", "about:blank",
        ]
        options = {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        session = self.call("POST", "", {"capabilities": {"alwaysMatch": options}})
        self.base += "/" + session["sessionId"]

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.base + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)["value"]

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def size(self, width, height):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        body = {"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics}
        self.call("POST", "/goog/cdp/execute", body)

    def keys(self, css, keys):
        found = self.call("POST", "/element", {"using": "css selector", "value": css})
        self.call("POST", f"/element/{next(iter(found.values()))}/value", {"text": keys})

    def drag(self, start, end, kind="mouse"):
        """From one point of the window to the other."""
        move = lambda point, duration: {"type": "pointerMove", "x": round(point[0]), "y": round(point[1]), "duration": duration}
        actions = [move(start, 0), {"type": "pointerDown", "button": 0}, move(end, 200), {"type": "pointerUp", "button": 0}]
        pointer = {"type": "pointer", "id": kind, "parameters": {"pointerType": kind}, "actions": actions}
        self.call("POST", "/actions", {"actions": [pointer]})

    def log(self, kind):
        return self.call("POST", "/se/log", {"type": kind})

    def close(self):
        try:
            self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait()


def until(what, condition):
    """Waits until the condition is met and returns its value."""
    latest = time.monotonic() + PATIENCE
    while time.monotonic() < latest:
        if value := condition():
            return value
        time.sleep(0.2)
    raise AssertionError(f"{what} did not come")


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def points(browser):
    """How many points each chart draws."""
    return browser.run("return Object.fromEntries(report.charts.map((chart) => [chart.spec.id, chart.points]))")


def content(browser):
    """What the page says: its numbers, and all that its charts draw."""
    return browser.run(
        "return [document.getElementById('figures').innerText, document.getElementById('state').innerText,"
        " report.charts.map((chart) => chart.plot && JSON.stringify(chart.plot.data))]"
    )


def processor_time(pid, thread):
    """The ticks of processor time that the threads of this name have had."""
    ticks, names = 0, []
    for task in Path(f"/proc/{pid}/task").iterdir():
        name, rest = (task / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
        names.append(name)
        if name == thread:
            user, system = rest.split()[11:13]
            ticks += int(user) + int(system)
    check(thread in names, f"there is no thread {thread} among {names}")
    return ticks


def watch_a_training(browser, runs):
    """The live page fills while a real run trains, and says in the end what its report says."""
    command = [PROGRAM, *QUICK, "--env=cartpole", "--steps=60000", "--seed=3", "--dashboard=127.0.0.1:0", "--runs-dir", runs]
    training = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    lines = []
    for line in training.stderr:
        lines.append(line)
        if url := re.search(r"the dashboard is at (http://\S+)", line):
            break
    check(lines and url, f"no dashboard was announced: {''.join(lines)}")
    browser.open(url[1])
    first = until("points", lambda: (now := points(browser))["p"] > 0 and now)
    more = until("more points", lambda: (now := points(browser))["p"] > first["p"] + 40 and now)
    check(browser.run("return document.getElementById('state').dataset.state") in ("training", "finished"), "no state")
    # While a page listens: what the dashboard costs, beside the thread that trains.
    main_thread = Path(f"/proc/{training.pid}/comm").read_text().strip()
    share = [processor_time(training.pid, name) for name in ("dashboard", main_thread)]
    check(share[1] > 0 and share[0] <= 0.03 * share[1] + 5, f"the dashboard took {share[0]} ticks beside {share[1]}")
    until("the end", lambda: browser.run("return document.getElementById('state').innerText") == "finished")
    training.stderr.read()
    check(training.wait() == 0, "the training failed")
    live, data = content(browser), browser.run("return document.getElementById('data').textContent")
    [run] = runs.iterdir()
    report = run / "report.html"
    browser.open(report.as_uri())
    check(json.loads(data) == json.loads(browser.run("return document.getElementById('data').textContent")), "data differ")
    check(content(browser) == live, "the report says something else than the live page did")
    # The last evaluation comes after the last episode that has ended, or with it.
    shown = "return report.runs[0].tables.points('evaluations', 'mean_return', arguments[0])[0].length"
    evaluations = [browser.run(shown, axis) for axis in ("steps", "episodes", "time")]
    check(evaluations[0] > 1 and len(set(evaluations)) == 1, f"evaluations are missing over an axis: {evaluations}")
    print(f"the dashboard took {share[0]} ticks of the processor while the training took {share[1]}")
    print(f"live: from {first['p']} over {more['p']} to {points(browser)['p']} points of p; the report says the same")
    return run


def charts_are_there(browser):
    drawn = points(browser)
    for name in ["return", "p", "uncertainty", "td", "loss", "exploratory", "precision", "length"]:
        check(drawn.get(name, 0) > 10, f"the chart {name} is not drawn: {drawn}")
    # A point for every so many seconds, of which a fast machine takes few.
    check(drawn.get("speed", 0) > 0, f"the chart speed is not drawn: {drawn}")
    for width, height in [(1280, 800), (390, 844)]:
        browser.size(width, height)
        wide = "return document.documentElement.scrollWidth"
        cut = (
            "return [...document.querySelectorAll('.card')].filter((card) => !card.hidden)"
            ".filter((card) => card.querySelector('canvas').getBoundingClientRect().right > innerWidth).length"
        )
        # Charts get smaller with the next frame.
        until(f"a page as wide as a window of {width}", lambda: browser.run(wide) <= width)
        until(f"charts that end within {width} x {height}", lambda: browser.run(cut) == 0)
    browser.size(1280, 800)


def widget(browser):
    state = "return [report.landscape.p, report.landscape.best, report.landscape.doing]"
    p, best, doing = browser.run(state)
    return {"p": p, "best": best, "doing": doing}


def rolled(browser):
    return until("the ball's rest", lambda: (now := widget(browser))["doing"].startswith("at the") and now)


def slide(browser, name, keys):
    """Presses keys on a slider; the minimum that follows."""
    browser.run("arguments[0].id = arguments[1]", browser.run(f"return report.landscape.{name}.input"), name)
    browser.keys(f"#{name}", keys)
    return widget(browser)["best"]


RIGHT, LEFT, END, ENTER = "\ue014", "\ue012", "\ue010", "\ue007"


def drag_the_ball(browser, share, kind):
    box = browser.run(
        "report.landscape.ball.scrollIntoView({ block: 'center' });"
        "const ball = report.landscape.disc.getBoundingClientRect(), all = report.landscape.drawing.getBoundingClientRect();"
        "return [ball.left + ball.width / 2, ball.top + ball.height / 2, all.left, all.width]"
    )
    before = widget(browser)["p"]
    browser.drag(box[:2], (box[2] + share * box[3], box[1]), kind)
    after = widget(browser)
    check(abs(after["p"] - before) > 0.05 or after["doing"].startswith("rolling"), "the ball was not moved")
    return rolled(browser)


def teaching_minimum(n, k):
    """Of p/N + 0.8 (1-p)^2 - K/N H(p), whose slope rises everywhere."""
    low, high = 0.01, 0.99
    for _ in range(100):
        p = (low + high) / 2
        slope = 1 / n - 1.6 * (1 - p) + k / n * math.log(p / (1 - p))
        low, high = (p, high) if slope < 0 else (low, p)
    return low


def play(browser):
    """The objective in the page, by mouse, touch and keyboard."""
    for share, kind in [(0.25, "mouse"), (0.6, "touch")]:
        rest = drag_the_ball(browser, share, kind)
        check(abs(rest["p"] - teaching_minimum(1000, 500)) < 0.01, f"the ball rests at {rest}")
    browser.run("report.landscape.reset.click()")
    browser.run("report.landscape.ball.focus()")
    browser.keys(".ball", LEFT * 5)
    check(abs(widget(browser)["p"] - (0.9 - 5 * 0.0098)) < 1e-6, f"arrows move the ball: {widget(browser)}")
    browser.keys(".ball", ENTER)
    rest = rolled(browser)
    check(abs(rest["p"] - rest["best"]) < 0.01, f"the ball rests at {rest}")

    # In the form to learn from the weights win as N grows, and entropy pulls to 1/2 as K does.
    start = rest["best"]
    more_data = slide(browser, "n", RIGHT * 60)
    check(more_data > start, "more data let the weights win")
    browser.run("report.landscape.reset.click()")
    check(0.5 < slide(browser, "k", RIGHT * 60) < start, "more units pull p to 1/2")
    browser.run("report.landscape.reset.click()")
    # A slider moves its own number alone.
    before = browser.run("return report.landscape.settings.k")
    n = slide(browser, "n", END) and browser.run("return report.landscape.settings.n")
    check(browser.run("return report.landscape.settings.k") == before, "the slider of N moves K")
    check(n == 10_000 and abs(widget(browser)["best"] - teaching_minimum(n, 500)) < 1e-6, "N goes to 10,000")
    # Where a layer of the run is concerned it is the other way round: more data push p down, more units up.
    layers = 3
    offered = browser.run("return report.landscape.which.options.length")
    check(offered == 1 + layers + 1, f"{offered} forms are offered, not one to learn from, three layers and a place")
    choose = (
        "const { which, moment } = report.landscape; which.selectedIndex = arguments[0]; which.onchange();"
        "moment.input.value = arguments[1]; moment.input.oninput()"
    )
    for layer in range(layers):
        # Early, since later on p* is too small for a number.
        browser.run(choose, layer + 1, 1)
        start = widget(browser)
        check(start["doing"] == "where p stood", "the ball is where p stood")
        pushed = slide(browser, "n", RIGHT * 40)
        check(pushed < start["best"], f"more data push p of layer {layer} down, from {start} to {pushed}")
        browser.run("report.landscape.reset.click()")
        check(slide(browser, "k", RIGHT * 40) > start["best"], f"more units push p of layer {layer} up")
        browser.run("report.landscape.reset.click()")
        rest = drag_the_ball(browser, 0.5, "mouse")
        check(abs(rest["p"] - rest["best"]) < 0.01, f"the ball of layer {layer} rests at {rest}")
    print("the ball rolls to p* by mouse, touch and keyboard, and the sliders move p* as the objective says")


def compare(browser, first, runs):
    """Several runs on one page: mean and band, runs switched off."""
    train = [PROGRAM, "-q", *QUICK, "--env=cartpole", "--steps=1500", "--runs-dir", runs]
    subprocess.run([*train, "--seed=1"], check=True)
    subprocess.run([*train, "--seed=2"], check=True)
    page = runs / "all.html"
    subprocess.run([PROGRAM, "report", runs, "--output", page], check=True, stdout=subprocess.DEVNULL)
    browser.open(page.as_uri())
    labels = "return report.charts[0].plot.series.map((series) => series.label)"
    found = browser.run(labels)
    check(any("mean of 2" in label for label in found) and len(browser.run("return report.charts[0].plot.bands")) == 1, f"no band: {found}")
    table = browser.run("return document.getElementById('runs').innerText")
    check("steps" in table and "60000" in table and "1500" in table, f"the settings that differ are not named: {table}")
    browser.run("document.querySelector('#runs input').click()")
    check(len(browser.run(labels)) < len(found), "a run that is switched off is still drawn")
    browser.run("const axis = document.getElementById('axis'); axis.value = 'episodes'; axis.onchange()")
    check(browser.run("return report.charts[0].points") > 10, "nothing is drawn over episodes")
    browser.run("const axis = document.getElementById('axis'); axis.value = 'time'; axis.onchange()")
    check(browser.run("return report.view.axis === 'time' && report.charts[0].points") > 10, "nothing is drawn over time")
    print(f"compared: {', '.join(found[1:])}")


def pictures(browser, first, runs):
    """Maps with a slider through time, and the episode that was recorded."""
    columns = "local_p,place_p,place_sensitivity,dataset_size,precision"
    rows = [f"env_steps,x,y,visits,value,greedy_action,epistemic_std,{columns}"]
    for moment in (1, 2, 3):
        for y in range(6):
            place = [f"{0.5 / moment},{0.4 / moment},{0.0056 * moment * x / 1000},1000,50" for x in range(8)]
            rows += [f"{moment * 1000},{x},{y},{moment * x},{x * y / moment},{(x + y) % 2},{1 / moment},{place[x]}" for x in range(8)]
    (first / "maps.csv").write_text("\n".join(rows) + "\n")
    subprocess.run([PROGRAM, "report", first], check=True, stdout=subprocess.DEVNULL)
    (first / "maps.csv").unlink()
    browser.open((first / "report.html").as_uri())
    pictures = "return [...document.querySelectorAll(arguments[0])].map((canvas) => canvas.toDataURL())"
    for css, slider, count in [("#maps canvas", "#maps input", 4), ("#episode canvas", "#episode input", 1)]:
        before = until(css, lambda: (now := browser.run(pictures, css)) and now)
        check(len(before) == count, f"{len(before)} pictures, not {count}")
        browser.keys(slider, LEFT if css.startswith("#maps") else RIGHT)
        after = browser.run(pictures, css)
        # That the actions and their places stay is right; all else changes.
        check(before[0] != after[0] and before[-1] != after[-1], f"{css} does not change with its slider")
    episode = browser.run("return document.getElementById('episode').innerText")
    check("push left: " in episode and "±" in episode and "step 2 of" in episode, f"Q-values are not told: {episode}")
    # A click on a cell shows the objective of its place: with no transitions p* is 1/2, and more data leave it there.
    click = "const map = report.maps.plots[0].canvas, box = map.getBoundingClientRect();" \
        "map.onclick({ clientX: box.left + box.width * (arguments[0] + 0.5) / 8, clientY: box.top + box.height / 2 })"
    best = []
    for column in (0, 3, 7):
        browser.run(click, column)
        state = widget(browser)
        check(abs(state["p"] - 0.4 / 3) < 1e-5, f"the ball of a place is not where p stood: {state}")
        best.append(state["best"])
        pushed = slide(browser, "n", RIGHT * 40)
        check(pushed < best[-1] if column else abs(pushed - 0.5) < 1e-6, f"N moves p* of a place from {best[-1]} to {pushed}")
        rolled(browser)
        rest = drag_the_ball(browser, 0.5, "mouse")
        check(abs(rest["p"] - rest["best"]) < 0.01, f"the ball of a place rests at {rest}")
    # logit = -(n tau w^2 / 2) (1 + e^logit)^2 with n = 9 and 21, solved by hand.
    check(best[0] == 0.5 and best[0] > best[1] > best[2], f"p* of places with 0, 9 and 21 transitions: {best}")
    for n, p in zip((9, 21), best[1:]):
        odds = p / (1 - p)
        check(abs(math.log(odds) + 0.5 * n * 50 * 0.0056 * (1 + odds) ** 2) < 1e-3, f"p* of {n} transitions is {p}")
    browser.run("report.episode.play.click()")
    until("the next steps", lambda: browser.run("return Number(report.episode.slider.value)") > 1)
    print("maps and the episode are drawn and go with their sliders")


def large(browser, folder):
    """A run of a million steps: the page is small, and no peak is missing."""
    run = folder / "large"
    run.mkdir()
    source = next(path for path in folder.iterdir() if (path / "config.toml").is_file())
    shutil.copy(source / "config.toml", run)
    header = lambda name: (source / name).read_text().splitlines()[0] + "\n"
    parts = header("episodes.csv").count(",p_")
    episodes, updates, layers = ["", "", ""]
    for episode in range(1, 110_001):
        p = 0.1 / (1 + episode / 1000)
        columns = f",{p:.6}" * parts
        value = 5000 if episode == 77_777 else 9 + episode % 7
        episodes += f"{episode},{9 * episode},{value},9,true,{9 + episode / 1e4},{9 * episode},10,{p * 3:.6},{p * 2:.6},0.1{columns}\n"
        layers += "".join(f"{episode},{layer},0,128,{p:.6},42.98{episode % 100},0.00{episode % 1000}\n" for layer in range(3))
    for update in range(100, 1_000_000, 100):
        row = ",".join(f"{math.sin(update * column):.6}" for column in range(1, 11))
        updates += f"{update},{update},{row},1000,10" + ",0.1" * parts + "\n"
    for name, rows in [("episodes.csv", episodes), ("updates.csv", updates), ("layers.csv", layers)]:
        (run / name).write_text(header(name) + rows)
    subprocess.run([PROGRAM, "report", run], check=True, stdout=subprocess.DEVNULL)
    page = run / "report.html"
    size = page.stat().st_size
    check(size < 10_000_000, f"the page has {size} bytes")
    start = time.monotonic()
    browser.open(page.as_uri())
    drawn = points(browser)["return"]
    seconds = time.monotonic() - start
    check(5000 in browser.run("return report.runs[0].tables.run.tables.episodes.episode_return"), "the peak is missing")
    # What is left of the rows are extremes, so what is smoothed are means of all.
    means = browser.run("return report.runs[0].tables.points('episodes', 'episode_return', 'steps', true)[1]")
    close = sum(abs(mean - 12) < 0.2 for mean in means)
    check(500 < len(means) <= 600 and close == len(means) - 1, f"{close} of {len(means)} means of 12 are close to it")
    print(f"a million steps: a page of {size / 1e6:.1f} MB, opened and drawn in {seconds:.1f} s, {drawn} points of the return")


def nothing_went_wrong(browser):
    wrong = [entry for entry in browser.log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    check(not wrong, f"the console says {wrong}")
    # Those of the browser's own first page aside.
    own = ("chrome://", "about:")
    asked = set()
    for entry in browser.log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.add(message["params"]["request"]["url"])
    asked = {url for url in asked if not url.startswith(own)}
    outside = [url for url in asked if not re.match(r"(http://127\.0\.0\.1:\d+/|file:///|data:)", url)]
    check(asked and not outside, f"requests left the machine: {outside}")
    print(f"no message on the console; {len(asked)} addresses were asked for, all on this machine")


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        browser = Browser(folder / "profile")
        try:
            browser.size(1280, 800)
            runs = folder / "runs"
            run = watch_a_training(browser, runs)
            charts_are_there(browser)
            play(browser)
            compare(browser, run, runs)
            pictures(browser, run, runs)
            large(browser, runs)
            nothing_went_wrong(browser)
        finally:
            browser.close()


main()
