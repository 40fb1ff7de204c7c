//! Exports that lie beside the images that their session was measured with.

use std::fs::File;

use noisescope::export::npz;
use tempfile::tempdir;

use super::images::{cycle, load_own, npy, put_npz};
use super::measured;

#[test]
fn an_export_is_no_part_of_the_data_set_beside_it() {
    let folder = tempdir().unwrap();
    let set = folder.path().join("mine.data.npz");
    let pixels: Vec<u8> = (0..96).collect();
    put_npz(
        &set,
        &[
            ("images", npy("|u1", &[16, 2, 3], &pixels)),
            ("labels", npy("|u1", &[16], &cycle(16, 4))),
        ],
    );
    let read = || {
        [set.as_path(), folder.path()].map(|path| {
            let read = load_own(path).unwrap_or_else(|error| panic!("{error}"));
            (read.form().shape(), read.train.len() + read.test.len())
        })
    };
    assert_eq!(read(), [([1, 2, 3], 16); 2]);
    // By default an export is called like its session.
    let export = File::create(folder.path().join("mine.npz")).unwrap();
    npz(&measured(), export).unwrap();
    assert_eq!(read(), [([1, 2, 3], 16); 2]);
}
