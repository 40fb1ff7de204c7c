//! Limits on the numbers of a record that was read from a file or received from an engine: within them, nothing that is
//! computed from the record overflows.

use super::array::{Array, Arrays, Payload};
use super::memory::is_readable;
use super::record::Record;
use super::record::shard::MAX_SHARDS;
use crate::format::bytes as in_words;
use crate::stats::sums::MAX_SUM;

/// Most numbers in an image.
const MAX_PIXELS: usize = 1 << 32;

/// The first number of a record that no run writes, with its place; `None` if there is none.
pub(super) fn impossible_number(record: &Record) -> Option<String> {
    impossible_form(record)
        .or_else(|| impossible_division(record))
        .or_else(|| impossible_sum(record))
}

/// An impossible size of an image.
fn impossible_form(record: &Record) -> Option<String> {
    let form = record.form.as_ref()?;
    let pixels = form
        .shape()
        .into_iter()
        .try_fold(1_usize, usize::checked_mul);
    let fits = pixels.is_some_and(|pixels| pixels <= MAX_PIXELS);
    (!fits).then(|| {
        let size = form.size_in_words();
        format!("record.form: images of {size}; an image has at most {MAX_PIXELS} numbers")
    })
}

/// The first impossible number in the description of a division or of a shard.
fn impossible_division(record: &Record) -> Option<String> {
    let check_count = |place: &str, count: u32| {
        let fits = (1..=MAX_SHARDS).contains(&count);
        (!fits).then(|| {
            format!("record.{place}.count: {count} shards; it must be from 1 to {MAX_SHARDS}")
        })
    };
    let sharding = record.sharding.as_ref();
    if let Some(problem) = sharding.and_then(|it| check_count("sharding", it.count)) {
        return Some(problem);
    }
    let shard = record.shard.as_ref()?;
    let (index, count) = (shard.index, shard.count);
    if let Some(problem) = check_count("shard", count) {
        return Some(problem);
    }
    if !(1..=count).contains(&index) {
        return Some(format!(
            "record.shard.index: shard {index} of {count}; it must be from 1 to {count}"
        ));
    }
    let mut portions = shard.portions.iter().enumerate();
    portions.find_map(|(analysis, portion)| {
        let part = portion.parts.iter().position(|(first, end)| first > end)?;
        let (first, end) = portion.parts[part];
        Some(format!(
            "record.shard.portions[{analysis}].parts[{part}]: its blocks end at {end}, before the first one, {first}; remove the file and run shard {index}/{count} again"
        ))
    })
}

/// The first impossible number in an array of sums.
fn impossible_sum(record: &Record) -> Option<String> {
    let mut problem = None;
    record.arrays(&mut |name, payload: &dyn Payload| {
        let sums = payload.as_any().downcast_ref::<Array<i64>>();
        let sums = sums.map_or(&[][..], |sums| sums.values());
        let large = sums.iter().find(|sum| sum.unsigned_abs() > MAX_SUM);
        if let (Some(sum), None) = (large, &problem) {
            problem = Some(format!(
                "record{name}: the sum {sum} is larger than any that trials add up to"
            ));
        }
    });
    problem
}

impl Record {
    /// What makes it larger than a file that can be read again, by the shapes of its arrays; `None` if nothing does.
    pub fn excess(&self) -> Option<String> {
        let (mut total, mut largest, mut problem) = (0_u64, 0_u64, None);
        self.arrays(&mut |name, payload: &dyn Payload| {
            let bytes = payload.byte_count().map(|bytes| bytes as u64);
            if bytes.is_err() && problem.is_none() {
                let words = format!("record{name} would be too large for a session's file");
                problem = Some(words);
            }
            let bytes = bytes.unwrap_or(0);
            total = total.saturating_add(bytes);
            largest = largest.max(bytes);
        });
        // One array is in memory twice while it is read.
        let needed = total.saturating_add(largest);
        problem.or_else(|| {
            let words = || format!("reading the session's file would take {}", in_words(needed));
            (!is_readable(needed)).then(words)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::ids::Gamma;
    use crate::session::config::{Analysis as Plan, Predictions};
    use crate::session::form::Form;
    use crate::session::record::shard::Portion;
    use crate::session::record::{Analysis, ClassificationImages, GammaTrials, Model, TrialKind};
    use crate::session::text::{from_text, to_text};
    use crate::session::{Config, Session};

    /// A change of a session.
    type Change = fn(&mut Session);

    /// The first of two shards of a session of predictions.
    fn shard() -> Session {
        let config = Config {
            analyses: vec![Plan::Predictions(Predictions::default())],
            ..Config::default()
        };
        let mut session = Session::new("mine", config);
        session.divide(2, "any").unwrap();
        session.new_shard("mine.shard-1-of-2", 1).unwrap()
    }

    #[test]
    fn a_file_whose_numbers_no_run_writes_is_refused_with_their_place() {
        let portion = |parts: &[(u64, u64)]| Portion {
            parts: parts.to_vec(),
            total: 9,
        };
        let mut whole = shard();
        whole.record.shard.as_mut().unwrap().portions = vec![portion(&[(0, 4), (5, 5)])];
        let read = |session: &Session| {
            let text = to_text(session).unwrap();
            from_text(&text, Path::new("it.ron"), &session.name)
        };
        assert!(read(&whole).is_ok());
        let changes: &[(Change, &str)] = &[
            (
                |it| it.record.shard.as_mut().unwrap().portions[0].parts[1].1 = 4,
                "record.shard.portions[0].parts[1]: its blocks end at 4, before the first one, 5; remove the file and run shard 1/2 again",
            ),
            (
                |it| it.record.shard.as_mut().unwrap().index = 3,
                "record.shard.index: shard 3 of 2",
            ),
            (
                |it| it.record.shard.as_mut().unwrap().index = 0,
                "record.shard.index: shard 0 of 2",
            ),
            (
                |it| it.record.shard.as_mut().unwrap().count = u32::MAX,
                "record.shard.count: 4294967295 shards; it must be from 1 to 100000",
            ),
            (
                |it| it.record.form = Some(Form::numbered([3, usize::MAX, 2], 2)),
                "record.form: images of 18446744073709551615×2 in colour",
            ),
        ];
        for (change, words) in changes {
            let mut other = whole.clone();
            change(&mut other);
            let error = read(&other).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        let mut largest = whole.clone();
        largest.record.form = Some(Form::numbered([1, 1 << 16, 1 << 16], 2));
        assert!(read(&largest).is_ok());
        let mut divided = Session::new("mine", whole.config.clone());
        divided.divide(2, "any").unwrap();
        assert!(read(&divided).is_ok());
        divided.record.sharding.as_mut().unwrap().count = 0;
        let error = read(&divided).unwrap_err().to_string();
        assert!(error.contains("record.sharding.count: 0 shards"), "{error}");
    }

    /// A record whose arrays claim this many bytes each, of which there are none.
    fn claiming(sizes: [usize; 2]) -> Record {
        let [file, sums] = sizes;
        let mut record = Record::new(&Config::default());
        let claim = format!("(shape: [{file}], dtype: U8, crc32: 0)");
        record.model = Some(Model {
            path: String::new(),
            sha256: String::new(),
            file: ron::from_str(&claim).unwrap(),
        });
        let kind = TrialKind::plain(2, [1, 1, 1]);
        let mut trials = GammaTrials::new(Gamma::NOISE, 30, &kind);
        let claim = format!("(shape: [{}], dtype: I64, crc32: 0)", sums / 8);
        trials.noise = ron::from_str(&claim).unwrap();
        record.analyses[0] = Analysis::ClassificationImages(ClassificationImages {
            gammas: vec![trials; 4],
            axes: None,
        });
        record
    }

    #[test]
    fn a_record_that_no_reader_would_accept_is_recognised_before_it_is_written() {
        let most = 1 << 32;
        assert_eq!(claiming([most, 1 << 30]).excess(), None);
        let larger = claiming([most + 1, 1 << 30]).excess().unwrap();
        assert_eq!(
            larger,
            "record.model.file would be too large for a session's file"
        );
        let larger = claiming([8, most + 8]).excess().unwrap();
        let array = "record.analyses[0].gammas[0].noise would be too large";
        assert!(larger.starts_with(array), "{larger}");
        let together = claiming([most, most]).excess().unwrap();
        let words = "reading the session's file would take 25.8 GB";
        assert_eq!(together, words);
    }

    #[test]
    fn a_sum_that_no_trials_add_up_to_is_named_by_its_array() {
        let mut record = Record::new(&Config::default());
        let kind = TrialKind::plain(2, [1, 1, 1]);
        let mut trials = GammaTrials::new(Gamma::NOISE, 30, &kind);
        let mut problem = |sum: i64| {
            trials.noise.values_mut()[3] = sum;
            record.analyses[0] = Analysis::ClassificationImages(ClassificationImages {
                gammas: vec![trials.clone()],
                axes: None,
            });
            impossible_number(&record)
        };
        let most = 1_i64 << 62;
        assert_eq!((problem(most), problem(-most)), (None, None));
        for sum in [most + 1, -most - 1, i64::MIN] {
            assert_eq!(
                problem(sum),
                Some(format!(
                    "record.analyses[0].gammas[0].noise: the sum {sum} is larger than any that trials add up to"
                ))
            );
        }
    }
}
