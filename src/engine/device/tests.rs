//! Tests of opening devices.

use std::collections::BTreeSet;
use std::path::Path;

use super::records::Convolutions;
use super::*;

/// The number of cores on which this process may run; `None` if the system does not report them, or a CPU quota may
/// leave fewer.
fn allowed_cores() -> Option<usize> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let paths = groups.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    let mut folders = paths
        .flat_map(|path| Path::new(path).ancestors())
        .filter_map(|folder| folder.strip_prefix("/").ok());
    let has_quota = |folder: &Path| {
        let read = |root: &str, file: &str| {
            let quota = Path::new(root).join(folder).join(file);
            std::fs::read_to_string(quota).unwrap_or_default()
        };
        let v2 = read("/sys/fs/cgroup", "cpu.max");
        let v1 = read("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us");
        let is_set =
            |quota: &str, unlimited: &str| !quota.is_empty() && !quota.starts_with(unlimited);
        is_set(&v2, "max") || is_set(&v1, "-1")
    };
    if folders.any(has_quota) {
        return None;
    }
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mut lines = status.lines();
    let allowed = lines.find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let online = std::fs::read_to_string("/sys/devices/system/cpu/online").ok()?;
    Some(cores_in(allowed)?.intersection(&cores_in(&online)?).count())
}

/// The cores in a list such as `0-3,8`.
fn cores_in(list: &str) -> Option<BTreeSet<usize>> {
    let mut cores = BTreeSet::new();
    for range in list.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        cores.extend(first.parse::<usize>().ok()?..=last.parse::<usize>().ok()?);
    }
    Some(cores)
}

#[test]
fn flex_has_one_worker_per_core_by_default() {
    let open = |workers| {
        let choice = "flex".parse().unwrap();
        let wanted = DeviceRequest {
            workers,
            ..DeviceRequest::new(&choice)
        };
        open(wanted, NetworkKind::Logistic, None).unwrap()
    };
    match allowed_cores() {
        Some(cores) => assert_eq!(open(None).seats.len(), cores),
        None => println!("SKIPPED: the number of cores is not known for certain"),
    }
    assert_eq!(open(Some(3)).label(), "flex · 3 workers");
    assert_eq!(open(Some(1)).label(), "flex · 1 worker");
    assert_eq!(open(None).record_label(), "flex");
}

#[test]
fn auto_continues_on_the_sessions_device() {
    let wanted = DeviceRequest {
        workers: Some(1),
        ..DeviceRequest::new(&DeviceChoice::Auto)
    };
    let opened = |before| open(wanted, NetworkKind::Logistic, Some(before)).unwrap();
    let cpu = opened("cpu");
    assert_eq!(cpu.name, "cpu");
    assert!(cpu.notes.is_empty(), "no trial was needed");
    // A session that began on flex continues on cpu, with a note.
    let flex = opened("flex");
    assert_eq!(flex.name, "cpu");
    assert!(flex.notes[0].contains("began on flex"), "{:?}", flex.notes);
}

#[test]
fn a_recorded_device_begins_with_its_kind() {
    assert_eq!(recorded_kinds("flex"), Some(vec![DeviceKind::Flex]));
    assert_eq!(recorded_kinds("an abacus"), None);
    assert_eq!(recorded_kinds("auto"), None);
    // Earlier versions offered this device.
    assert_eq!(recorded_kinds("cubecl:0, launches of 32 blocks"), None);
}

#[test]
fn a_record_describes_how_it_was_computed() {
    assert!(is_recorded_direct("cpu, convolutions direct"));
    assert!(!is_recorded_direct("cpu"));
    assert!(numerics::is_recorded_tf32(
        "cuda:0, launches of 16 blocks, TF32"
    ));
    assert!(!numerics::is_recorded_tf32(
        "cuda:0, launches of 16 blocks, float32"
    ));
}

#[test]
fn a_run_says_what_it_computes_otherwise_than_the_session_so_far() {
    let of = |devices: &[&str]| -> Vec<String> {
        devices.iter().map(|&device| device.to_owned()).collect()
    };
    let full = of(&["cuda:0, launches of 64 blocks, float32"]);
    // It was then rounded, and moved to a processor.
    let moved = of(&[
        "cpu",
        "cuda:0, launches of 64 blocks, float32",
        "cuda:0, launches of 64 blocks, TF32",
        "cpu, convolutions direct",
        "libtorch",
    ]);
    assert_eq!(numerics::recorded(&full), Some(false));
    assert_eq!(numerics::recorded(&moved), Some(true));
    assert_eq!(numerics::recorded(&of(&["cpu", "flex"])), None);
    assert_eq!(records::was_direct(&moved), Some(true));
    assert_eq!(records::was_direct(&moved[..3]), Some(false));
    assert_eq!(records::was_direct(&full), None);
    let how = OpenSettings {
        workers: Some(1),
        launch: Some(64),
        network: NetworkKind::Logistic,
    };
    let on = |kind: DeviceKind| assemble(&[kind], seats(kind, how), how);
    let changes = on(DeviceKind::Cuda(0)).changes(&moved);
    assert_eq!(changes.len(), 1, "{changes:?}");
    let words = "multiplies in float32 from here on; so far the session was computed in TF32";
    assert!(changes[0].contains(words), "{changes:?}");
    let nothing: [String; 0] = [];
    assert_eq!(on(DeviceKind::Cuda(0)).changes(&full), nothing);
    assert_eq!(on(DeviceKind::Cuda(0)).changes(&[]), nothing);
    let (direct, fastest) = (Convolutions::Direct, Convolutions::Fastest);
    assert_eq!(Convolutions::recorded(&moved), Some(direct));
    assert_eq!(Convolutions::recorded(&full), None);
    let back = fastest.change(&moved).unwrap();
    assert!(
        back.contains("with Winograd's algorithm from here on"),
        "{back}"
    );
    let there = direct.change(&moved[..3]).unwrap();
    assert!(there.contains("directly from here on"), "{there}");
    assert_eq!((direct.change(&moved), fastest.change(&full)), (None, None));
    // A processor computes in float32 whatever a GPU did.
    assert_eq!(on(DeviceKind::Flex).changes(&moved), nothing);
}

#[test]
fn a_session_keeps_its_launch_size() {
    let recorded = "cuda:0,cuda:1, launches of 64 blocks, float32";
    assert_eq!(recorded_launch(recorded), Some(64));
    let both = [DeviceKind::Cuda(0), DeviceKind::Cuda(1)];
    assert_eq!(
        recorded_kinds(recorded),
        libtorch::BUILT.then(|| both.to_vec())
    );
    // From version 0.1.0.
    assert_eq!(recorded_launch("cuda:0, noise drawn there"), None);
    let how = OpenSettings {
        workers: Some(4),
        launch: None,
        network: NetworkKind::Cnn,
    };
    let unknown = seats(DeviceKind::Cuda(0), how);
    assert_eq!((unknown.len(), unknown[0].threads), (1, 4));
    assert!(assemble(&[DeviceKind::Cuda(0)], unknown, how).launch_unchosen);
    let given = seats(
        DeviceKind::Cuda(0),
        OpenSettings {
            launch: Some(64),
            ..how
        },
    );
    assert_eq!((given.len(), given[0].blocks), (1, 64));
    // A processor takes launches only on request.
    assert_eq!(seats(DeviceKind::Libtorch, how).len(), 4);
    let fed = OpenSettings {
        launch: Some(64),
        ..how
    };
    let fed = assemble(
        &[DeviceKind::Libtorch],
        seats(DeviceKind::Libtorch, fed),
        fed,
    );
    assert_eq!(fed.label(), "libtorch · launches of 64 blocks");
    assert_eq!(fed.record_label(), "libtorch, launches of 64 blocks");
    // After running out of memory.
    let mut less = fed.clone();
    less.limit_launch(16);
    assert_eq!(less.record_label(), "libtorch, launches of 16 blocks");
    if libtorch::BUILT {
        let resumed = |kind| how.resuming(&[kind], Some(recorded)).launch;
        assert_eq!(resumed(DeviceKind::Cuda(1)), Some(64));
        assert_eq!(resumed(DeviceKind::Libtorch), None);
    }
}
