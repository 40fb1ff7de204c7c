//! Tests of the pickle reader.

use proptest::prelude::*;

use super::*;

fn root(bytes: &[u8]) -> PickleNode {
    let (tree, taken) = read(bytes).unwrap();
    assert_eq!(taken, bytes.len());
    tree.node(tree.root).clone()
}

#[test]
fn numbers_match_python() {
    for (bytes, number) in [
        (&b"K\xff."[..], 255),
        (b"M\x01\x02.", 513),
        (b"J\xff\xff\xff\xff.", -1),
        (b"\x8a\x00.", 0),
        (b"\x8a\x01\xff.", -1),
        (b"\x8a\x02\xff\x00.", 255),
        (b"I-12\n.", -12),
        (b"L7L\n.", 7),
        // The legacy format's magic number exceeds 64 bits.
        (b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", i64::MAX),
        (b"\x8a\x09\0\0\0\0\0\0\0\0\xff.", i64::MIN),
    ] {
        assert_eq!(root(bytes), PickleNode::Int(number), "{bytes:?}");
    }
    assert_eq!(root(b"I01\n."), PickleNode::Bool(true));
    assert_eq!(root(b"G\x3f\xf8\0\0\0\0\0\0."), PickleNode::Float(1.5));
    assert_eq!(root(b"S'it'\n."), PickleNode::Text("it".into()));
}

#[test]
fn a_call_is_recorded_and_not_executed() {
    let (tree, _) = read(b"cposix\nsystem\n(S'touch it'\ntR.").unwrap();
    let class = tree.class(tree.root).unwrap();
    assert_eq!(class.to_string(), "posix.system");
    let object = tree.object(tree.root).unwrap();
    let arguments = tree.sequence(object.arguments).unwrap();
    assert_eq!(tree.text(arguments[0]), Some("touch it"));
}

#[test]
fn a_value_may_contain_itself() {
    // d = {}; d["d"] = d
    let (tree, _) = read(b"}q\0X\x01\0\0\0dh\0s.").unwrap();
    assert_eq!(tree.get(tree.root, "d"), Some(tree.root));
}

#[test]
fn declared_lengths_are_checked_against_the_data() {
    for bytes in [
        &b"X\xff\xff\xff\x7f"[..],
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x8b\xff\xff\xff\xffab",
        b"cno end of the line",
        b"",
    ] {
        assert_eq!(read(bytes).unwrap_err(), PickleError::CutOff(bytes.len()));
    }
}

#[test]
fn instructions_that_do_not_fit_are_refused_with_their_offset() {
    for (bytes, at) in [
        (&b"."[..], 0),
        (b"t.", 0),
        (b"K\x01K\x02s.", 4),
        (b"(K\x01K\x02K\x03u.", 7),
        // A value below the mark is not the tuple's.
        (b"K\x01(\x85.", 3),
        (b"h\x05.", 0),
        (b"K\x01K\x02\x93.", 4),
    ] {
        assert_eq!(
            read(bytes).unwrap_err(),
            PickleError::BadOperands(at),
            "{bytes:?}"
        );
    }
    let unknown = PickleError::Unknown { code: 0x97, at: 0 };
    assert_eq!(read(b"\x97.").unwrap_err(), unknown);
}

proptest! {
    #[test]
    fn no_bytes_create_more_values_than_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok((tree, taken)) = read(&bytes) {
            prop_assert!(taken <= bytes.len());
            // INST and OBJ create up to three values from one instruction of several bytes.
            prop_assert!(tree.nodes().len() <= 3 * bytes.len() + 1);
        }
    }
}
