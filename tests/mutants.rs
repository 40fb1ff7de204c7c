//! Randomly damaged files for every reader: each is refused or read, nothing panics, and little memory is used. And
//! changed digits in a real session: each is noticed.
//!
//! Each test tries a few cases; `scripts/durability mutants flips` tries more through the environment variables named here.

mod common;
mod damage;
mod images;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::dice::{Dice, count};
use damage::{MAX_MIB, MAX_TIME, mutant, peak_mib, readers};
use noisescope::export::json;
use noisescope::session::text::from_text;

/// A random index below `below`, or 0.
fn roll(dice: &mut Dice, below: usize) -> usize {
    dice.roll(below as u64) as usize
}

/// A finished session's file.
fn session() -> String {
    let bench = common::finished();
    fs::read_to_string(bench.store().path("done")).unwrap()
}

#[test]
fn no_mutated_file_makes_its_reader_panic_or_use_much_memory() {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {
        PANICS.fetch_add(1, Ordering::Relaxed);
    }));
    let all = count("NOISESCOPE_MUTANTS", 150) as usize;
    let mut faults = Vec::new();
    for reader in readers(session().into_bytes()) {
        let name = reader.name;
        let accepts_whole = (reader.read)(&reader.valid[0]);
        if !accepts_whole {
            faults.push(format!("{name}: the whole file is refused"));
        }
        let (mut dice, mut accepted_count, mut slowest) = (Dice(29), 0, Duration::ZERO);
        let before = PANICS.load(Ordering::Relaxed);
        for number in 0..all {
            let whole = &reader.valid[number % reader.valid.len()];
            let other = &reader.valid[roll(&mut dice, reader.valid.len())];
            let bytes = mutant(whole, other, &mut |below| roll(&mut dice, below));
            let began = Instant::now();
            match catch_unwind(AssertUnwindSafe(|| (reader.read)(&bytes))) {
                Ok(accepted) => accepted_count += usize::from(accepted),
                Err(_) => faults.push(format!("{name}: mutant {number} makes it panic")),
            }
            slowest = slowest.max(began.elapsed());
            if peak_mib() > MAX_MIB {
                faults.push(format!("{name}: mutant {number} uses {} MiB", peak_mib()));
                break;
            }
        }
        // A panic inside a library that the caller turned into an error does not count as a fault.
        let caught = PANICS.load(Ordering::Relaxed) - before;
        println!(
            "{all} mutants of {name}: {accepted_count} accepted, {caught} panics, the slowest {} ms",
            slowest.as_millis()
        );
        if slowest > MAX_TIME {
            faults.push(format!("{name}: one took {slowest:?}"));
        }
    }
    std::panic::set_hook(usual);
    println!("mutants: at most {} MiB", peak_mib());
    faults.truncate(20);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_changed_digit_in_a_finished_session_goes_unnoticed() {
    let whole = session();
    let path = Path::new("it.ron");
    let exported = json(&from_text(&whole, path, "it").unwrap());
    let recorded = whole.find("\n  record:").unwrap();
    let head = whole[recorded..].find("\n  checksum:").unwrap();
    let mut dice = Dice(31);
    let all = count("NOISESCOPE_FLIPS", 100);
    let (mut noticed, mut harmless) = (0, 0);
    while noticed + harmless < all {
        // Half of them in the readable part, half in arrays.
        let range = [head, whole.len() - recorded][roll(&mut dice, 2)];
        let position = recorded + roll(&mut dice, range);
        let digit = whole.as_bytes()[position];
        if !digit.is_ascii_digit() {
            continue;
        }
        let mut changed = whole.clone().into_bytes();
        changed[position] = b'0' + (digit - b'0' + 1 + roll(&mut dice, 9) as u8) % 10;
        let changed = String::from_utf8(changed).unwrap();
        match from_text(&changed, path, "it") {
            Err(_) => noticed += 1,
            // The last letter of base64 may have unused bits.
            Ok(session) => {
                assert!(
                    json(&session) == exported,
                    "a digit at {position} changes a number"
                );
                harmless += 1;
            }
        }
    }
    println!("{all} digits flipped: {noticed} noticed, {harmless} without effect, 0 unnoticed");
}
