use std::path::Path;

use plotters::style::RGBColor;
use tempfile::TempDir;

use super::axis::{Axis, Scale, brief, number};
use super::drawing::legend_height;
use super::figure::Mark;
use super::figures::{comparison, heatmaps::color, minimum};
use super::points::{Points, scatter, smooth, thin, value_at};
use super::table::RunTables;
use super::{
    Bounds, Chart, ChartPanel, Heatmap, HeatmapRow, Heatmaps, RunLabel, Series, draw_chart, draw_comparison,
    draw_heatmaps, draw_run,
};

// The columns of the first runs, which can still be drawn.
const EPISODES: &str = "episode,total_steps,episode_return,episode_length,terminated,mean_return_100,dataset_size,\
                        precision,epistemic_std,p_0,p_1\n";
const UPDATES: &str = "update,total_steps,loss,data_term,weight_term,entropy_term,td_error,q_mean,epistemic_std,\
                       gradient_norm,learning_rate\n";

fn run(episodes: &str, updates: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("episodes.csv"), episodes).unwrap();
    std::fs::write(folder.path().join("updates.csv"), updates).unwrap();
    folder
}

fn rows(count: usize) -> String {
    let row = |i: usize| {
        let p = 0.4 / (1.0 + i as f64 / 50.0);
        format!("{i},{},{},20,true,{i},{},10,,{p},{}\n", 20 * i + 20, i % 90, 20 * i + 20, p / 2.0)
    };
    EPISODES.to_owned() + &(0..count).map(row).collect::<String>()
}

fn label() -> RunLabel {
    RunLabel { title: "CartPole-v1 · ucb".into(), reward_threshold: Some(475.0), ..RunLabel::default() }
}

fn assert_drawn(run: &Path) {
    for name in ["return", "dropout", "uncertainty", "overview"] {
        let svg = std::fs::read_to_string(run.join(format!("plots/{name}.svg"))).unwrap();
        assert!(svg.starts_with("<svg width=\"1600\" ") && svg.trim_end().ends_with("</svg>"), "{name}.svg");
        assert!(svg.contains("font-family=\"Inter, sans-serif\""));
        let png = std::fs::read(run.join(format!("plots/{name}.png"))).unwrap();
        assert!(png.starts_with(b"\x89PNG"), "{name}.png");
    }
    assert_eq!(std::fs::read_dir(run.join("plots")).unwrap().count(), 8, "no temporary file stays");
}

#[test]
fn thinning_keeps_extremes_and_ends() {
    let mut points: Points = (0..10_000).map(|i| (f64::from(i), (f64::from(i) * 0.01).sin())).collect();
    (points[4321].1, points[8765].1) = (7.0, -7.0);
    for thinned in [thin(&points, 1000), scatter(&points, 1000)] {
        assert!((600..=1010).contains(&thinned.len()), "{}", thinned.len());
        assert!(thinned.contains(&(4321.0, 7.0)) && thinned.contains(&(8765.0, -7.0)));
        assert_eq!((thinned.first(), thinned.last()), (points.first(), points.last()));
        assert!(thinned.is_sorted_by(|a, b| a.0 < b.0));
    }
    assert_eq!(thin(&points[..500], 1000), points[..500]);
    assert_eq!(thin(&[], 1000), []);
}

#[test]
fn dots_show_where_most_points_are() {
    let points: Points = (0..9_000).map(|i| (f64::from(i), f64::from(i % 10))).collect();
    let inner = scatter(&points, 600).iter().filter(|point| (1.0..=8.0).contains(&point.1)).count();
    assert!(inner > 200, "{inner}");
}

#[test]
fn smoothing_keeps_a_constant_and_a_single_point() {
    let points: Points = (0..1000).map(|i| (f64::from(i), 3.0)).collect();
    assert!(smooth(&points).iter().zip(&points).all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() < 1e-9));
    assert_eq!(smooth(&[(1.0, 2.0)]), [(1.0, 2.0)]);
}

#[test]
fn a_series_is_interpolated_within_its_ends() {
    let points = [(10.0, 1.0), (20.0, 3.0)];
    let values = [5.0, 10.0, 15.0, 20.0, 25.0].map(|x| value_at(&points, x));
    assert_eq!(values, [None, Some(1.0), Some(2.0), Some(3.0), None]);
}

#[test]
fn numbers_are_written_as_a_person_would() {
    let written = [0.0, 0.05, 0.0003, 1e-5, 2e-5, 475.0, -110.0, 2500.0, 10_000.0, 1.5e6, 3e9].map(number);
    let expected = ["0", "0.05", "0.0003", "10⁻⁵", "2·10⁻⁵", "475", "−110", "2.5k", "10k", "1.5M", "3·10⁹"];
    assert_eq!(written, expected);
    assert_eq!(brief(0.012_345), "0.012");
}

#[test]
fn ticks_are_round_and_within_the_axis() {
    let labels = |axis: Axis| axis.ticks(5).into_iter().map(|(_, label)| label).collect::<Vec<_>>();
    let linear = Axis { scale: Scale::Linear, low: 0.0, high: 40_120.0 };
    assert_eq!(labels(linear), ["0", "10k", "20k", "30k", "40k"]);
    let halves = Axis { scale: Scale::Linear, low: -106.0, high: -99.0 };
    assert_eq!(labels(halves), ["−106", "−104", "−102", "−100"]);
    let halves = Axis { scale: Scale::Linear, low: -111.0, high: -98.0 };
    assert_eq!(labels(halves), ["−110", "−107.5", "−105", "−102.5", "−100"]);
    // Each is what it says, between thousands too.
    let thousands = Axis { scale: Scale::Linear, low: 1_000.0, high: 1_130.0 };
    assert_eq!(labels(thousands), ["1k", "1.025k", "1.05k", "1.075k", "1.1k", "1.125k"]);
    let large = Axis { scale: Scale::Linear, low: 12_320.0, high: 12_341.0 };
    assert_eq!(labels(large), ["12.32k", "12.325k", "12.33k", "12.335k", "12.34k"]);
    let larger = Axis { scale: Scale::Linear, low: -1.03e9, high: -1.0e9 };
    assert_eq!(
        labels(larger),
        ["−1.03·10⁹", "−1.025·10⁹", "−1.02·10⁹", "−1.015·10⁹", "−1.01·10⁹", "−1.005·10⁹", "−10⁹"]
    );
    let tiny = Axis { scale: Scale::Logarithmic, low: 1e-38, high: 1.0 };
    assert!(!labels(tiny).contains(&"0".to_owned()), "{:?}", labels(tiny));
    let logarithmic = Axis::logarithmic([0.4, 1e-9].into_iter());
    assert_eq!(labels(logarithmic), ["10⁻⁶", "0.0001", "0.01"]);
    for axis in [linear, logarithmic] {
        assert!((axis.position(axis.value(0.3)) - 0.3).abs() < 1e-9);
    }
    assert_eq!(logarithmic.position(0.0), 0.0, "what is below the axis lies on its end");
    let returns = Axis::around([-200.0, -110.0].into_iter());
    assert_eq!(labels(returns), ["−200", "−180", "−160", "−140", "−120"]);
}

#[test]
fn runs_of_any_length_are_drawn() {
    let half_a_header = run("episode,total_st", "");
    let update = "1,500,1,1,1,1,2.5,1,0.5,1,0.001\n";
    let runs = [
        run("", ""),
        half_a_header,
        run(EPISODES, UPDATES),
        run(&rows(1), UPDATES),
        run(&rows(300), &(UPDATES.to_owned() + update)),
    ];
    for run in &runs {
        draw_run(run.path(), &label()).unwrap();
        assert_drawn(run.path());
    }
    let empty = std::fs::read_to_string(runs[0].path().join("plots/return.svg")).unwrap();
    assert!(empty.contains("no episodes yet"));
}

#[test]
fn the_least_p_of_a_layer_is_drawn_beside_its_p() {
    let run = run(&rows(3), "");
    // A = tau c = 10 * 0.05 and B = 2 K / N = 2 * 4 / 40, and l = 0.
    let layers =
        "episode,layer,group,masks,p,squared_norm,sensitivity\n1,0,0,4,0.1,0,0.05\n1,1,0,4,0.25,0,0\n";
    std::fs::write(run.path().join("layers.csv"), layers).unwrap();
    draw_run(run.path(), &label()).unwrap();
    let svg = std::fs::read_to_string(run.path().join("plots/minimum.svg")).unwrap();
    assert!(svg.contains("p₀ inputs, minimum") && svg.contains("p₁ hidden 1"));
    let tables = RunTables::read(run.path(), false).unwrap();
    let figure = minimum::figure(&tables, &label()).unwrap();
    let lines: Vec<(f64, f64)> = figure.columns[0].panels[0]
        .marks
        .iter()
        .map(|mark| match mark {
            Mark::Line { points, .. } => points[0],
            _ => unreachable!(),
        })
        .collect();
    let least = lines[0].1;
    let odds = 1.0 / (least.exp() - 1.0);
    assert!((0.5 * (1.0 + odds).powi(2) + 0.2 * odds.ln()).abs() < 1e-9, "{least}");
    let rest = [10.0_f64.ln(), 2.0_f64.ln(), 4.0_f64.ln()];
    assert!(
        lines[1..].iter().zip(rest).all(|(point, value)| point.0 == 40.0 && (point.1 - value).abs() < 1e-9)
    );
}

#[test]
fn what_goes_by_steps_is_drawn_where_no_episode_ends() {
    let columns = UPDATES.replace('\n', ",dataset_size,precision,p_0,p_1\n");
    let row = |i: usize| format!("{i},{i},1,1,1,1,2.5,1,0.5,1,0.001,{i},10,{},0.1\n", 0.4 / (1 + i) as f64);
    let run = run(EPISODES, &(columns + &(1..50).map(row).collect::<String>()));
    draw_run(run.path(), &label()).unwrap();
    let figure = |name: &str| std::fs::read_to_string(run.path().join(format!("plots/{name}.svg"))).unwrap();
    assert!(
        !figure("dropout").contains("no episodes yet") && !figure("uncertainty").contains("no episodes yet")
    );
    assert!(figure("return").contains("no episodes yet"));

    let evaluations = "total_steps,episodes,mean_return,std_return,min_return,max_return,mean_length,cut\n";
    let rows = "20,5,30.5,1,29,31,30.5,0\n40,5,90,0,90,90,90,0\n";
    std::fs::write(run.path().join("evaluations.csv"), format!("{evaluations}{rows}")).unwrap();
    draw_run(run.path(), &label()).unwrap();
    assert!(figure("return").contains("evaluation") && !figure("return").contains("no episodes yet"));
}

#[test]
fn a_half_written_line_is_ignored() {
    let whole = run(&rows(20), UPDATES);
    let writing = run(&(rows(20) + "20,42"), &(UPDATES.to_owned() + "1,"));
    for run in [&whole, &writing] {
        draw_run(run.path(), &label()).unwrap();
    }
    let figure = |run: &TempDir| std::fs::read(run.path().join("plots/overview.svg")).unwrap();
    assert!(figure(&whole) == figure(&writing));
}

#[test]
fn a_run_without_updates_is_drawn() {
    let run = run(&rows(3), "");
    std::fs::remove_file(run.path().join("updates.csv")).unwrap();
    draw_run(run.path(), &label()).unwrap();
    assert_drawn(run.path());
}

#[test]
fn errors_name_file_line_and_column() {
    let missing = run("episode,total_steps\n0,20\n", UPDATES);
    let error = draw_run(missing.path(), &label()).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with(&missing.path().join("episodes.csv").display().to_string()), "{text}");
    assert!(text.contains("is not usable: it has no column `episode_return`"), "{text}");

    let invalid = run(&rows(2).replace("40,1,20", "40,one,20"), UPDATES);
    let error = draw_run(invalid.path(), &label()).unwrap_err().to_string();
    assert!(
        error.starts_with("line 3 of ")
            && error.contains("column `episode_return` holds `one`, which is not a number"),
        "{error}"
    );

    let ragged = run(&(rows(2) + "2,60\n"), UPDATES);
    let error = draw_run(ragged.path(), &label()).unwrap_err().to_string();
    assert!(
        error.starts_with("line 4 of ")
            && error.contains("episodes.csv is not a row of the table")
            && error.contains("2 cells where the header has 11"),
        "{error}"
    );

    let nothing = TempDir::new().unwrap();
    let error = draw_run(nothing.path(), &label()).unwrap_err().to_string();
    assert!(error.starts_with("could not read ") && error.contains("episodes.csv"), "{error}");
}

#[test]
fn runs_are_compared() {
    let folders =
        [run(&rows(30), ""), run(&rows(50), ""), run(&rows(1), ""), run("", ""), run(&rows(40), "")];
    let settings = ["seeds", "seeds", "seeds", "", "other"];
    let runs: Vec<_> = folders
        .iter()
        .zip(settings)
        .map(|(folder, setting)| {
            let label = RunLabel { short: format!("run of {setting}"), setting: setting.into(), ..label() };
            (folder.path().to_owned(), label)
        })
        .collect();
    let stem = folders[0].path().join("figures/tau0.5");
    let written = draw_comparison(&runs, &stem).unwrap();
    assert_eq!(written, [stem.with_file_name("tau0.5.svg"), stem.with_file_name("tau0.5.png")]);
    assert!(written.iter().all(|path| path.exists()));
    let svg = std::fs::read_to_string(&written[0]).unwrap();
    assert!(svg.contains("seeds (3 runs)") && svg.contains("run of other") && svg.contains("5 runs"));
}

#[test]
fn panels_keep_their_height_however_many_runs_are_compared() {
    let folder = run(&rows(30), "");
    let height = |count: u32| {
        let of = |index| RunLabel { short: format!("run {index} of a name that is not short"), ..label() };
        let tables = || RunTables::read(folder.path(), false).unwrap();
        let labels: Vec<_> = (0..count).map(of).collect();
        let runs: Vec<_> = labels.iter().map(|label| (tables(), label)).collect();
        let figure = comparison::figure(&runs);
        figure.size.1 - legend_height(&figure.legend, figure.size.0)
    };
    assert!(height(3) >= height(9) && height(9) == 866);
    assert_eq!(height(40), height(9));
}

#[test]
fn local_dropout_is_named_in_figures_of_one_run_and_of_several() {
    let folder = run(&rows(30), "");
    let of = |has_local_dropout| {
        let label = RunLabel { has_local_dropout, ..label() };
        let stem = folder.path().join("both");
        draw_comparison(&[(folder.path().to_owned(), label.clone())], &stem).unwrap();
        draw_run(folder.path(), &label).unwrap();
        [stem.with_extension("svg"), folder.path().join("plots/dropout.svg")]
            .map(|path| std::fs::read_to_string(path).unwrap())
    };
    for svg in of(true) {
        assert!(svg.contains("p₀ inputs") && svg.contains("p local, mean") && !svg.contains("hidden 1"));
    }
    for svg in of(false) {
        assert!(svg.contains("p₁ hidden 1") && !svg.contains("local"));
    }
}

#[test]
fn a_p_that_is_held_at_0_is_said_to_be_below_its_axis() {
    let zero =
        EPISODES.to_owned() + "1,20,1,20,true,1,20,10,,1e-38,1e-38\n2,40,1,20,true,1,40,10,,1e-38,1e-38\n";
    let (held, learned) = (run(&zero, ""), run(&rows(30), ""));
    let stem = held.path().join("both");
    let runs = [&held, &learned].map(|folder| (folder.path().to_owned(), label()));
    draw_comparison(&runs, &stem).unwrap();
    draw_run(held.path(), &label()).unwrap();
    draw_run(learned.path(), &label()).unwrap();
    let says = |path: &Path| std::fs::read_to_string(path).unwrap().contains("lower values on the edge");
    assert!(says(&held.path().join("plots/dropout.svg")));
    assert!(!says(&learned.path().join("plots/dropout.svg")) && !says(&stem.with_extension("svg")));
}

#[test]
fn charts_show_series_and_levels_on_either_scale() {
    let run = |height: f64| (1..50).map(|x| (f64::from(x), height / f64::from(x))).collect();
    let series = |count: u32| {
        let runs = (0..count).map(|run_index| run(1.0 + f64::from(run_index))).collect();
        vec![Series { name: format!("{count} seeds"), runs }, Series { name: "nothing".into(), runs: vec![] }]
    };
    let panel = |logarithmic, count| ChartPanel {
        heading: "share (%)".into(),
        logarithmic,
        series: series(count),
        levels: vec![(0.5, "half".into())],
    };
    let chart = Chart {
        title: "A chart".into(),
        subtitle: "of two panels".into(),
        horizontal: "dataset size N",
        horizontal_logarithmic: true,
        panels: vec![panel(false, 4), panel(true, 1), panel(false, 0)],
    };
    let folder = TempDir::new().unwrap();
    let written = draw_chart(&chart, &folder.path().join("chart")).unwrap();
    let svg = std::fs::read_to_string(&written[0]).unwrap();
    for text in
        ["A chart", "of two panels", "dataset size N", "4 seeds", "1 seeds", "half", "nothing to show"]
    {
        assert!(svg.contains(text), "{text}");
    }
    assert!(written[1].exists());
}

#[test]
fn heat_maps_leave_empty_cells_white_and_darken_with_counts() {
    let heatmap = |name: &str, cells: [f64; 4]| Heatmap {
        name: name.into(),
        cells: cells.chunks(2).map(<[f64]>::to_vec).collect(),
        dots: Vec::new(),
    };
    let bounds = |name: &str| Bounds { name: name.into(), low: -1.0, high: 1.0 };
    let row = |heatmaps| HeatmapRow { name: "ucb".into(), colors: None, heatmaps };
    let mut heatmaps = Heatmaps {
        title: "Visits".into(),
        subtitle: String::new(),
        horizontal: bounds("position (m)"),
        vertical: bounds("velocity (m/step)"),
        counted: "visits".into(),
        rows: vec![row(vec![
            heatmap("early", [0.0, 1.0, 0.0, 0.0]),
            heatmap("late", [0.0, 1.0, 100.0, 0.0]),
        ])],
    };
    let folder = TempDir::new().unwrap();
    let stem = folder.path().join("heatmaps");
    let svg =
        |heatmaps: &Heatmaps| std::fs::read_to_string(&draw_heatmaps(heatmaps, &stem).unwrap()[0]).unwrap();
    let drawn = svg(&heatmaps);
    for text in ["position (m)", "velocity (m/step)", "early", "late", "visits"] {
        assert!(drawn.contains(text), "{text}");
    }
    // Two cells of 1 and one of 100, the ends of the scale; no shade of the bar is as far out as either.
    let count = |position: f64| {
        let RGBColor(red, green, blue) = color(position);
        drawn.matches(&format!("#{red:02X}{green:02X}{blue:02X}")).count()
    };
    assert_eq!((count(0.0), count(1.0)), (2, 1));
    heatmaps.rows.clear();
    assert!(svg(&heatmaps).contains("Visits"));
}
