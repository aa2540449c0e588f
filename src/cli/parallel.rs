//! Jobs side by side: a few at once, and one that fails takes no other with it.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::config::count;
use crate::error::Error;
use crate::panics::caught;

/// The processor cores that this program may use.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// How many jobs are to go on at once, as a flag says it.
pub fn job_count(text: &str) -> Result<NonZeroUsize, String> {
    let jobs = count(text).and_then(|jobs| usize::try_from(jobs).ok()).and_then(NonZeroUsize::new);
    jobs.ok_or_else(|| "it must be a whole number of 1 or more, such as 4".to_owned())
}

/// Does `work` on every item, on at most `threads` at once, and returns the results in the order of the
/// items. They are started in that order too. A panic is the error of its own item.
pub fn for_each<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> Result<R, Error> + Sync,
) -> Vec<Result<R, Error>> {
    let next = AtomicUsize::new(0);
    let (finished, results) = mpsc::channel();
    let take = || {
        let index = next.fetch_add(1, Ordering::Relaxed);
        items.get(index).map(|item| (index, item))
    };
    let worker = || {
        // Every thread has a number of its own for how many libtorch may start below it.
        tch::set_num_threads(1);
        while let Some((index, item)) = take() {
            // It can't fail, since the receiver outlives the threads.
            let _ = finished.send((index, caught(|| work(item))));
        }
    };
    thread::scope(|scope| {
        // This thread works too, so that the work is done even where no other can be started.
        for _ in 1..threads.min(items.len()) {
            if let Err(error) = thread::Builder::new().spawn_scoped(scope, worker) {
                tracing::warn!("fewer will run at once, because a thread could not be started: {error}");
                break;
            }
        }
        worker();
    });
    let mut results: Vec<_> = results.try_iter().collect();
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::time::Duration;

    #[test]
    fn results_come_in_order_and_a_failure_is_its_own() {
        let items: Vec<u64> = (0..20).collect();
        for threads in [1, 3, 100] {
            let results = for_each(&items, threads, |&item| {
                // The first ones take longest.
                thread::sleep(Duration::from_millis(20 - item));
                match item {
                    3 => Err(Error::Interrupted),
                    4 => panic!("item {item}"),
                    _ => Ok(item * 10),
                }
            });
            assert_eq!(results.len(), 20);
            for (index, result) in results.into_iter().enumerate() {
                match index {
                    3 => assert!(matches!(result, Err(Error::Interrupted))),
                    4 => assert!(matches!(result, Err(Error::Panicked(message)) if message == "item 4")),
                    _ => assert_eq!(result.unwrap(), index as u64 * 10),
                }
            }
        }
        assert!(for_each(&[] as &[u8], 4, |_| Ok(())).is_empty());
    }

    #[test]
    fn as_many_run_at_once_as_may_and_libtorch_has_one_thread_in_each() {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let all_three = Barrier::new(3);
        let results = for_each(&[(); 12], 3, |()| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            all_three.wait();
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(tch::get_num_threads())
        });
        assert_eq!(most.into_inner(), 3);
        assert!(results.into_iter().all(|threads| threads.unwrap() == 1));
    }
}
