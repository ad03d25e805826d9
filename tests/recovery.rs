//! What was acknowledged is there after every crash; what was not is there whole or not at all.
//!
//! Most of this runs on a simulated disk that knows what a power cut leaves (`sim`). The script of
//! [`units`] goes through everything that writes: batches, groups that commit and that do not,
//! segments that fill up, a change of writer. It is cut off, failed and starved of room at each of
//! its operations in turn. The rest runs on real folders with real processes.

#[path = "recovery/connection.rs"]
mod connection;
#[path = "recovery/kill.rs"]
mod kill;
#[path = "recovery/random.rs"]
mod random;
#[path = "recovery/script.rs"]
mod script;
#[path = "recovery/unknown.rs"]
mod unknown;

use datomite::storage::{Log, LogOptions, StorageError};
use datomite_tests::sim::{Cut, Fault, Lie, Op, SimDisk};

use script::{History, all, backend, check_image, open, open_unsynced, run, seen, step, units};

/// Runs the script and says which promise was broken at which acknowledgement.
fn check_acknowledgements(disk: &SimDisk) -> Result<usize, String> {
    let mut history = History::default();
    let mut acknowledged = 0;
    let mut done = |history: &History| {
        acknowledged += 1;
        let notes = ["/store/durable", "/store/owner", "/store/lock"];
        let mut unsynced = disk.unsynced();
        unsynced.retain(|path| !notes.iter().any(|note| path.as_os_str() == *note));
        if !unsynced.is_empty() {
            return Err(format!("acknowledged, but not synced: {unsynced:?}"));
        }
        let image = disk.crash(Cut::Worst);
        let found = match open(&image).map(|log| seen(&log)) {
            Ok(Ok(found)) => found,
            other => return Err(format!("acknowledged, but lost: {other:?}")),
        };
        let wanted: Vec<u64> = units()[..history.acknowledged].concat();
        match found.starts_with(&wanted) {
            true => Ok(()),
            false => Err(format!("acknowledged {wanted:?}, found {found:?}")),
        }
    };
    run(disk, &mut history, &mut done).map_err(|error| error.to_string())??;
    Ok(acknowledged)
}

#[test]
fn every_acknowledgement_is_preceded_by_a_sync_of_its_batch_and_of_every_new_name() {
    let disk = SimDisk::new();
    let acknowledged = check_acknowledgements(&disk).unwrap();
    assert_eq!(acknowledged, units().len());
    let ops = disk.ops_since(0);
    let syncs = ops.iter().filter(|op| matches!(op, Op::Sync(_))).count();
    assert!(syncs >= acknowledged);
    println!(
        "{acknowledged} acknowledgements, {} operations, {syncs} syncs",
        ops.len()
    );
}

#[test]
fn leaving_out_either_sync_is_noticed() {
    for lie in [Lie::FileSync, Lie::DirectorySync] {
        let broken = check_acknowledgements(&SimDisk::new().lying(lie));
        println!("{lie:?}: {broken:?}");
        assert!(broken.is_err(), "{lie:?} went unnoticed");
    }
}

#[test]
fn one_batch_is_one_write_and_one_sync() {
    let disk = SimDisk::new();
    let log = open(&disk).unwrap();
    step(&log, &[1000]).unwrap();
    let before = disk.ops_count();
    let log_dir = |path: &std::path::Path| path.starts_with("/store/log");
    // Segments of the script are tiny: the next append may begin a new one first.
    step(&log, &[1002, 1004, 1006]).unwrap();
    let ops = disk.ops_since(before);
    let last: Vec<&Op> = ops.iter().rev().take(3).collect();
    assert!(matches!(last[0], Op::Write(path) if path.ends_with("durable")));
    assert!(matches!(last[1], Op::Sync(path) if log_dir(path)));
    assert!(matches!(last[2], Op::Write(path) if log_dir(path)));
}

#[test]
fn a_crash_at_any_operation_loses_nothing_acknowledged() {
    let total = {
        let disk = SimDisk::new();
        run(&disk, &mut History::default(), &mut |_| Ok(()))
            .unwrap()
            .unwrap();
        disk.ops_count()
    };
    let mut images = 0;
    for n in 0..total {
        let disk = SimDisk::new();
        disk.fail_at(n, Fault::Gone);
        let mut history = History::default();
        let _ = run(&disk, &mut history, &mut |_| Ok(()));
        assert!(disk.is_gone(), "operation {n} was not reached");
        let mut check = |image: SimDisk, what: String| {
            check_image(&image, &history).unwrap_or_else(|error| {
                panic!(
                    "{what}: {error}; last operations {:?}",
                    disk.ops_since(n.saturating_sub(6))
                )
            });
            images += 1;
        };
        check(disk.kill(), format!("killed at {n}"));
        let seeds = (0..3).map(|seed| Cut::Random((n * 100 + seed) as u64));
        for cut in [Cut::Worst, Cut::Best, Cut::NamesOnly]
            .into_iter()
            .chain(seeds)
        {
            check(disk.crash(cut), format!("power cut at {n}, {cut:?}"));
            // And again while the store is being opened after that.
            let again = disk.crash(cut);
            again.fail_at(again.ops_count() + 3 + n % 40, Fault::Gone);
            drop(open(&again));
            let second = Cut::Random(n as u64);
            check(
                again.crash(second),
                format!("power cut at {n}, {cut:?}, then {second:?}"),
            );
        }
    }
    println!("{total} operations, {images} crash images");
}

#[test]
fn any_single_failing_operation_gives_an_error_or_nothing_and_never_a_wrong_answer() {
    let mut n = 0;
    loop {
        let disk = SimDisk::new();
        disk.fail_at(n, Fault::Once);
        let mut log = None;
        for unit in units() {
            if unit[0] % 10 == 7 {
                log = None;
            }
            // One failure: the second attempt must succeed, if need be after reopening.
            for _ in 0..3 {
                let open_log = match log.take() {
                    Some(log) => Ok(log),
                    None => open(&disk),
                };
                let Ok(open_log) = open_log else { continue };
                let written = match seen(&open_log) {
                    Ok(found) if found.ends_with(&unit) => Ok(()),
                    _ => step(&open_log, &unit),
                };
                match written {
                    Ok(()) => log = Some(open_log),
                    Err(StorageError::Poisoned { .. }) => {
                        let found = seen(&open_log).expect("reads go on");
                        assert!(all().starts_with(&found));
                        continue;
                    }
                    Err(_) => continue,
                }
                break;
            }
        }
        drop(log);
        let reached = disk.ops_count() > n;
        disk.heal();
        assert_eq!(seen(&open(&disk).unwrap()).unwrap(), all(), "operation {n}");
        if !reached {
            break;
        }
        n += 1;
    }
    println!("{n} operations failed once each");
}

#[test]
fn a_failed_sync_ends_writing_and_not_reading() {
    let disk = SimDisk::new();
    let log = open(&disk).unwrap();
    step(&log, &[1000]).unwrap();
    step(&log, &[1002]).unwrap();
    disk.fail_next(|op| matches!(op, Op::Sync(path) if path.extension() == Some("log".as_ref())));
    let poisoned = |result| matches!(result, Err(StorageError::Poisoned { .. }));
    assert!(poisoned(step(&log, &[1004])));
    assert!(poisoned(step(&log, &[1004])));
    assert_eq!(seen(&log).unwrap(), [1000, 1002]);
    drop(log);
    let log = open(&disk).unwrap();
    assert_eq!(seen(&log).unwrap(), [1000, 1002]);
    step(&log, &[1004]).unwrap();
    assert_eq!(seen(&log).unwrap(), [1000, 1002, 1004]);
}

#[test]
fn a_full_disk_refuses_and_then_carries_on() {
    let disk = SimDisk::new();
    let log = open(&disk).unwrap();
    let mut full = 0;
    for (n, room) in (0..600).cycle().step_by(7).take(200).enumerate() {
        let t = 1000 + n as u64;
        disk.set_room(Some(disk.used() + room));
        match step(&log, &[t]) {
            Ok(()) => {}
            Err(StorageError::StorageFull { .. }) => {
                full += 1;
                disk.set_room(None);
                step(&log, &[t]).unwrap();
            }
            Err(other) => panic!("{other}"),
        }
        assert_eq!(seen(&log).unwrap().len(), n + 1);
    }
    println!("refused {full} of 200 times");
    assert!(full > 50 && full < 150);
    let expected: Vec<u64> = (1000..1200).collect();
    let image = disk.crash(Cut::Worst);
    assert_eq!(seen(&open(&image).unwrap()).unwrap(), expected);
}

#[test]
fn without_syncs_a_power_cut_loses_an_end_and_nothing_before_it() {
    let mut lost = 0;
    for seed in 0..400 {
        let disk = SimDisk::new();
        let log = open_unsynced(&disk).unwrap();
        let written = 1 + seed % 8;
        for unit in &units()[..written] {
            step(&log, unit).unwrap();
        }
        if seed % 3 == 0 {
            log.flush().unwrap();
        }
        let image = disk.crash(Cut::Random(seed as u64));
        let found = seen(&open_unsynced(&image).unwrap()).unwrap();
        let whole = (0..=written).find(|n| found == units()[..*n].concat());
        let whole = whole.unwrap_or_else(|| panic!("seed {seed}: {found:?}"));
        assert!(
            whole == written || seed % 3 != 0,
            "seed {seed}: flushed and lost"
        );
        lost += usize::from(whole < written);
    }
    println!("an end was lost {lost} times in 400");
    assert!(lost > 50);
}

#[test]
fn reading_changes_nothing() {
    let disk = SimDisk::new();
    run(&disk, &mut History::default(), &mut |_| Ok(()))
        .unwrap()
        .unwrap();
    for image in [disk.kill(), disk.crash(Cut::Random(1))] {
        let before = image.ops_count();
        let place = backend(&image).unwrap();
        let follower = Log::follow(place, LogOptions::default()).unwrap();
        assert_eq!(seen(&follower).unwrap(), all());
        follower.poll().unwrap();
        let changes = |op: &Op| !matches!(op, Op::Read(_));
        assert!(!image.ops_since(before).iter().any(changes));
    }
}
