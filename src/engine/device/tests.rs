//! Tests of opening devices.

use super::*;

#[test]
fn flex_has_a_worker_a_core_unless_told_otherwise() {
    let open = |workers| {
        let choice = "flex".parse().unwrap();
        let wanted = DeviceRequest {
            workers,
            ..DeviceRequest::new(&choice)
        };
        open(wanted, NetworkKind::Logistic, None).unwrap()
    };
    assert_eq!(open(None).seats.len(), cores());
    assert_eq!(open(Some(3)).label(), "flex · 3 workers");
    assert_eq!(open(Some(1)).label(), "flex · 1 worker");
    assert_eq!(open(None).record_label(), "flex");
}

#[test]
fn auto_goes_on_where_the_session_was() {
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
fn a_record_names_its_devices_before_what_it_says_of_them() {
    assert_eq!(recorded_kinds("flex"), Some(vec![DeviceKind::Flex]));
    assert_eq!(recorded_kinds("an abacus"), None);
    assert_eq!(recorded_kinds("auto"), None);
}

#[test]
fn a_record_tells_how_it_was_computed() {
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
fn a_session_goes_on_with_launches_of_the_size_that_it_began_with() {
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
