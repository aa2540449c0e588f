//! The page in a real browser, where there is one, and the dashboard's answers, request by request.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod program;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use program::{assert_fails, folders, program, quick, run, text, train};

#[test]
fn the_page_works_in_a_browser() {
    let is_there =
        |name: &str| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    if let Some(missing) = ["chromium", "chromedriver", "python3"].into_iter().find(|name| !is_there(name)) {
        eprintln!(
            "skipped, since there is no {missing}; on Debian `apt-get install chromium chromium-driver python3` brings it"
        );
        return;
    }
    let test = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page_test.py");
    let output = Command::new("python3").arg(test).arg(env!("CARGO_BIN_EXE_concrete-dqn")).output().unwrap();
    println!("{}", text(&output.stdout));
    assert!(output.status.success(), "{}", text(&output.stderr));
}

/// How long to wait for what must come, on however busy a machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A training whose dashboard is up.
struct Training {
    process: Child,
    address: String,
}

impl Training {
    /// One that goes on until it is ended, or one for each of some seeds.
    fn start(runs: &Path, more: &[&str]) -> Self {
        let arguments = [&["--env=cartpole", "--steps=10_000_000", "--dashboard=127.0.0.1:0"], more].concat();
        let mut command = program();
        command.args(quick(&arguments)).args(arguments).arg("--runs-dir").arg(runs);
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map(|line| line.unwrap());
        let line = lines.find(|line| line.contains("the dashboard is at")).unwrap();
        // Whatever else it says goes on being read, so that it is not held up.
        std::thread::spawn(move || lines.for_each(drop));
        let address = line.split_once("http://").unwrap().1.trim_end_matches('/').to_owned();
        Self { process, address }
    }

    /// The data of the page, once so many runs have begun.
    fn data(&self, runs: usize) -> serde_json::Value {
        loop {
            let answer = self.get("/data.json", "");
            let (head, content) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.contains("200 OK"), "{answer}");
            let data: serde_json::Value = serde_json::from_str(content).unwrap();
            if data["runs"].as_array().unwrap().len() == runs {
                return data;
            }
        }
    }

    /// Sends a request as it is, and returns what comes until the connection is closed.
    fn ask(&self, request: &str) -> String {
        self.ask_until(request, |_| false)
    }

    /// Or until there is enough of it, since events have no end.
    fn ask_until(&self, request: &str, is_enough: impl Fn(&str) -> bool) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // One that is refused early is not taken to its end.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let mut buffer = [0; 1 << 16];
        // That there is nothing new is said every few seconds.
        let latest = Instant::now() + PATIENCE;
        while Instant::now() < latest
            && let Ok(read @ 1..) = stream.read(&mut buffer)
            && {
                answer.extend_from_slice(&buffer[..read]);
                !is_enough(&text(&answer))
            }
        {}
        text(&answer)
    }

    fn get(&self, path: &str, headers: &str) -> String {
        self.ask(&get(path, headers, &self.address))
    }

    /// The events with rows until there are some of learner steps, which may come after those of an episode.
    fn rows(&self, path: &str, headers: &str) -> Vec<(String, serde_json::Value)> {
        let answer =
            self.ask_until(&get(path, headers, &self.address), |answer| !updates(&rows(answer)).is_empty());
        rows(&answer)
    }

    /// The first event of this kind, and what comes before it.
    fn event(&self, kind: &str, path: &str, headers: &str) -> String {
        let start = format!("event: {kind}\n");
        self.ask_until(&get(path, headers, &self.address), |answer| {
            answer.split_once(&start).is_some_and(|(_, event)| event.contains("\n\n"))
        })
    }
}

/// Of a version that knows no chunks, so that events come as they are.
fn get(path: &str, headers: &str, address: &str) -> String {
    format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n{headers}\r\n")
}

impl Drop for Training {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The whole events with rows in an answer: their ids and their data.
fn rows(answer: &str) -> Vec<(String, serde_json::Value)> {
    let whole = answer.rsplit_once("\n\n").map_or("", |(whole, _)| whole);
    let of = |event: &str| {
        let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        Some((field("id: ")?, serde_json::from_str(&field("data: ")?).unwrap()))
    };
    whole.split("\n\n").filter(|event| event.contains("event: rows")).filter_map(of).collect()
}

/// The steps of the rows of learner steps.
fn updates(events: &[(String, serde_json::Value)]) -> Vec<u64> {
    let steps = events.iter().filter_map(|(_, told)| told["updates"]["total_steps"].as_array());
    steps.flatten().map(|step| step.as_u64().unwrap()).collect()
}

#[test]
fn the_dashboard_answers_what_it_should_and_nothing_else() {
    let runs = tempfile::tempdir().unwrap();
    let training = Training::start(runs.path(), &[]);
    let data = training.data(1);
    let status = |answer: &str| answer.split(' ').nth(1).unwrap_or_default().to_owned();

    let page = training.get("/", "");
    assert_eq!(status(&page), "200");
    for part in ["text/html", "no-store", "nosniff", "<!doctype html>", "default-src 'none'", "</html>"] {
        assert!(page.contains(part), "`{part}` is missing");
    }
    let (token, after) = (data["live"]["token"].as_str().unwrap(), data["live"]["after"].as_str().unwrap());

    // What is no path of the page is nothing, whether there is such a file or not.
    let model = folders(runs.path()).remove(0).join("config.toml");
    for path in ["/config.toml", "/../config.toml", "/%2e%2e/%2e%2e/etc/passwd", model.to_str().unwrap()] {
        assert_eq!(status(&training.get(path, "")), "404", "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "HEAD"] {
        let answer = training.ask(&format!(
            "{method} / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            training.address
        ));
        assert_eq!(status(&answer), "405", "{method}");
        assert!(answer.to_lowercase().contains("allow: get"), "{answer}");
    }
    let (_, port) = training.address.split_once(':').unwrap();
    let named =
        |host: &str| training.ask(&format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
    assert_eq!(status(&named(&format!("localhost:{port}"))), "200");
    for host in [format!("rebound.example:{port}"), "localhost:1".to_owned(), String::new()] {
        assert_eq!(status(&named(&host)), "403", "{host}");
    }
    // Too much is not read: a body, a head without end, a head that does not come.
    assert_eq!(status(&training.get("/", "Content-Length: 1000000000\r\n")), "413");
    assert_eq!(status(&training.get("/", &format!("X: {}\r\n", "x".repeat(100_000)))), "431");
    assert_eq!(status(&training.ask("no HTTP at all\r\n\r\n")), "400");

    // Events begin where the page ends, and go on after the last one that came.
    let path = format!("/events?token={token}&after={after}");
    let events = training.rows(&path, "");
    let (id, _) = events.last().unwrap();
    let later = training.rows(&path, &format!("Last-Event-ID: {id}\r\n"));
    let (last, next) = (*updates(&events).last().unwrap(), updates(&later)[0]);
    assert_eq!(next, last + 20, "no row is missing and none comes twice");
    // A page of another dashboard, or of a run that was cut back, begins anew.
    for path in [format!("/events?token=x&after={after}"), format!("/events?token={token}&after=7.7.7.7")] {
        assert!(training.get(&path, "").contains("event: reload"), "{path}");
    }
}

/// A page of several runs is told all of it again and again, and begins anew when there is a run more.
#[test]
fn the_dashboard_shows_every_seed() {
    let runs = tempfile::tempdir().unwrap();
    let training = Training::start(runs.path(), &["--seeds=3,5", "--jobs=2"]);
    let data = training.data(2);
    let mut seeds: Vec<_> =
        data["runs"].as_array().unwrap().iter().map(|run| run["settings"]["seed"].clone()).collect();
    seeds.sort_by_key(serde_json::Value::to_string);
    assert_eq!(seeds, ["3", "5"]);
    let token = data["live"]["token"].as_str().unwrap();
    let answer = training.event("page", &format!("/events?token={token}&after="), "");
    assert!(!answer.contains("event: reload"), "{answer}");
    let (_, event) = answer.split_once("event: page\n").unwrap();
    let page: serde_json::Value =
        serde_json::from_str(event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap()).unwrap();
    assert_eq!(page["live"]["token"], token);
    assert_eq!(page["runs"].as_array().unwrap().len(), 2);
    let fewer = token.rsplit_once('-').unwrap().0;
    assert!(training.get(&format!("/events?token={fewer}-1&after="), "").contains("event: reload"));
}

#[test]
fn an_address_that_is_wrong_or_taken_is_said_before_anything_starts() {
    let runs = tempfile::tempdir().unwrap();
    let inner = runs.path().join("none");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("--dashboard={}", taken.local_addr().unwrap());
    assert_fails(&train(&inner, &[&taken]), 2, &[&taken[12..], "give another address or port"]);
    assert_fails(&train(&inner, &["--dashboard=example.org:80"]), 2, &["--dashboard", "127.0.0.1:8008"]);
    assert!(!inner.exists());
    let open = train(&inner, &["--dashboard=0.0.0.0:0", "--steps=200"]);
    assert!(open.status.success());
    assert!(text(&open.stderr).contains("every machine that reaches this one"), "{}", text(&open.stderr));
}

#[test]
fn pages_are_written_of_one_run_of_several_and_of_a_folder() {
    let runs = tempfile::tempdir().unwrap();
    let output = train(runs.path(), &["--steps=600", "--seeds=1-2"]);
    assert!(output.status.success() && text(&output.stdout).contains("report "), "{}", text(&output.stdout));
    let folders = folders(runs.path());
    let data = |page: &Path| {
        let html = fs::read_to_string(page).unwrap();
        let (_, data) = html.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
        serde_json::from_str::<serde_json::Value>(data.split_once("</script>").unwrap().0).unwrap()
    };
    let own = data(&folders[0].join("report.html"));
    assert_eq!(own["runs"][0]["summary"], program::summary(&folders[0]));
    assert_eq!(own["runs"][0]["reward_threshold"], 475.0);
    let steps = &own["runs"][0]["tables"]["updates"]["total_steps"];
    assert_eq!((&steps[0], steps.as_array().unwrap().len()), (&serde_json::json!(119), 25));

    // Written again, it is the same to the byte.
    let (path, before) = (folders[0].join("report.html"), fs::read(folders[0].join("report.html")).unwrap());
    fs::remove_file(&path).unwrap();
    assert!(run(&["report", folders[0].to_str().unwrap()]).status.success());
    assert!(fs::read(&path).unwrap() == before);

    assert!(run(&["report", runs.path().to_str().unwrap()]).status.success());
    let both = data(&runs.path().join("report.html"));
    assert_eq!(both["runs"].as_array().unwrap().len(), 2);
    assert_eq!(both["runs"][0]["setting"], both["runs"][1]["setting"]);

    // A run counts once, and a summary only as long as nothing came after it.
    let [one, two] = [&folders[0], &folders[1]].map(|folder| folder.to_str().unwrap());
    let page = runs.path().join("pair.html");
    let into = ["--output", page.to_str().unwrap()];
    assert!(run(&[&["report", one, one, two], &into[..]].concat()).status.success());
    assert_eq!(data(&page)["runs"].as_array().unwrap().len(), 2);
    assert!(run(&["resume", one, "--steps", "700"]).status.success());
    let mut summary = program::summary(&folders[0]);
    summary["total_steps"] = 600.into();
    fs::write(folders[0].join("summary.json"), summary.to_string()).unwrap();
    assert!(run(&[&["report", one, two], &into[..]].concat()).status.success());
    let of = |index: usize| data(&page)["runs"][index]["summary"].clone();
    assert!(of(0).is_null() && of(1)["ended"] == "finished");
    // Nor is an episode shown that a policy of before played.
    let has_episode = |index: usize| data(&page)["runs"][index]["recording"].is_object();
    assert!(!has_episode(0) && has_episode(1));

    let nothing = runs.path().join("nothing");
    assert_fails(&run(&["report", nothing.to_str().unwrap()]), 2, &["there is no run folder"]);
    fs::create_dir(&nothing).unwrap();
    assert_fails(&run(&["report", nothing.to_str().unwrap()]), 2, &["nothing", "is not the folder of a run"]);
    let into = ["report", folders[0].to_str().unwrap(), "--output", nothing.to_str().unwrap()];
    assert_fails(&run(&into), 2, &["--output", "is a folder"]);
}
