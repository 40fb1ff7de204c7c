//! Reading CIFAR batches.

use tempfile::tempdir;

use crate::images::*;

/// A CIFAR record: labels, then an image of one colour.
fn record(labels: &[u8], [red, green, blue]: [u8; 3]) -> Vec<u8> {
    [labels, &[red; 1024], &[green; 1024], &[blue; 1024]].concat()
}

#[test]
fn cifar_batches_are_read_with_their_names() {
    let folder = tempdir().unwrap();
    let ten = folder.path().join("cifar-10-batches-bin");
    for batch in 1..=5u8 {
        let name = format!("data_batch_{batch}.bin");
        put(
            &ten.join(name),
            &[record(&[0], [batch, 2, 3]), record(&[1], [4, 5, 6])].concat(),
        );
    }
    put(
        &ten.join("test_batch.bin"),
        &[record(&[1], [9, 8, 7]), record(&[0], [1, 1, 1])].concat(),
    );
    put(&ten.join("batches.meta.txt"), b"airplane\nautomobile\n\n");
    let set = load_own(folder.path()).unwrap();
    assert_eq!(set.classes, ["airplane", "automobile"]);
    assert_eq!(set.form().shape(), [3, 32, 32]);
    assert_eq!((set.train.len(), set.test.len()), (10, 2));
    assert_eq!(set.train.image(2)[..1], [2]);
    assert_eq!(
        [
            set.test.image(0)[0],
            set.test.image(0)[1024],
            set.test.image(0)[2048]
        ],
        [9, 8, 7]
    );

    let hundred = folder.path().join("cifar-100-binary");
    put(
        &hundred.join("train.bin"),
        &[record(&[7, 0], [1; 3]), record(&[7, 2], [2; 3])].concat(),
    );
    put(&hundred.join("test.bin"), &record(&[7, 1], [3; 3]));
    put(&hundred.join("fine_label_names.txt"), b"apple\nbear\ncan\n");
    let set = load_own(&hundred).unwrap();
    assert_eq!(set.classes, ["apple", "bear", "can"]);
    assert_eq!(set.train.labels[..], [0, 2]);
    assert!(
        complaint(folder.path()).contains("several sets (cifar-10-batches-bin, cifar-100-binary)")
    );
}

#[test]
fn damaged_cifar_batches_are_refused() {
    let folder = tempdir().unwrap();
    let batch = folder.path().join("data_batch_1.bin");
    put(&batch, &record(&[0], [10; 3])[..3000]);
    let error = complaint(folder.path());
    assert!(
        error.contains("3000 bytes, which is not a whole number of records of 3073"),
        "{error}"
    );
    let damaged: Vec<u8> = record(&[0], [10; 3])
        .into_iter()
        .flat_map(|byte| match byte {
            b'\n' => vec![b'\r', b'\n'],
            byte => vec![byte],
        })
        .collect();
    put(&batch, &damaged);
    assert!(complaint(folder.path()).contains("text mode"));
    put(&batch, b"<html>404</html>");
    assert!(complaint(folder.path()).contains("is a web page, not a binary batch of CIFAR"));
}

#[test]
fn a_batch_that_is_there_plain_and_packed_is_read_once() {
    let folder = tempdir().unwrap();
    let content = [record(&[0], [1; 3]), record(&[1], [2; 3])].concat();
    for name in [
        "data_batch_1.bin",
        "data_batch_1.bin.gz",
        "data_batch_2.bin",
    ] {
        put(&folder.path().join(name), &content.repeat(2));
    }
    // A packed batch stands for its set as a plain one does.
    for path in [
        folder.path().to_owned(),
        folder.path().join("data_batch_1.bin.gz"),
    ] {
        let set = load_own(&path).unwrap();
        assert_eq!(set.train.len() + set.test.len(), 8);
        assert!(has_note(&set, "only 2 of the 5"), "{:?}", set.notes);
    }
}
