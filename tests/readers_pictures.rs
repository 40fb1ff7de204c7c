//! Reading folders of pictures: classes, training and test halves, kinds of pictures, the cache, and errors.

mod images;

#[path = "readers/folders.rs"]
mod folders;
#[path = "readers/photos.rs"]
mod photos;

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use images::*;
use noisescope::data::{
    DataError, Dataset, DatasetRequest, SetFormat, holds_images, load, recognise,
};
use tempfile::tempdir;

/// Writes `count` pictures of each class, each with a different grey level.
fn put_classes(folder: &Path, classes: &[&str], count: u8) {
    for (class, name) in classes.iter().enumerate() {
        for index in 0..count {
            put_png(
                &folder.join(name).join(format!("{index}.png")),
                3,
                2,
                10 * class as u8 + index,
            );
        }
    }
}

/// Loads a folder with a cache; returns the set and the reported progress.
fn load_cached(folder: &Path, cache: &Path) -> (Dataset, Vec<(usize, usize)>) {
    let plan = plan(folder);
    let request = DatasetRequest {
        config: &plan,
        seed: 1,
        data: Path::new("unused"),
        cache: Some(cache),
    };
    let mut progress = Vec::new();
    let set = load(&request, &mut |done, of| {
        progress.push((done, of));
        ControlFlow::Continue(())
    });
    (set.unwrap(), progress)
}

#[test]
fn folders_are_classes_and_halves() {
    let folder = tempdir().unwrap();
    put_classes(&folder.path().join("train"), &["dog", "cat"], 5);
    put_classes(&folder.path().join("test"), &["dog", "cat"], 2);
    let set = load_own(folder.path()).unwrap();
    assert_eq!(set.classes, ["cat", "dog"]);
    assert_eq!(set.form().shape(), [1, 3, 2]);
    assert_eq!(
        (set.train.class_counts(), set.test.class_counts()),
        (vec![5; 2], vec![2; 2])
    );
    assert_eq!(set.train.image(0), [10; 6]);
    assert!(set.notes.is_empty(), "{:?}", set.notes);
    assert!(holds_images(folder.path()));
    assert_eq!(
        recognise(folder.path()).unwrap().format(),
        SetFormat::Pictures
    );

    // One half, one class or one picture selects the whole set.
    for part in ["train", "train/dog", "test/cat/0.png"] {
        let set = load_own(&folder.path().join(part)).unwrap();
        assert_eq!((set.train.len(), set.test.len()), (10, 4), "{part}");
        assert!(
            has_note(&set, "is part of the set in"),
            "{part}: {:?}",
            set.notes
        );
    }
}

#[test]
fn validation_pictures_serve_as_test_images_if_there_are_no_others() {
    let folder = tempdir().unwrap();
    put_classes(&folder.path().join("train"), &["a", "b"], 5);
    put_classes(&folder.path().join("valid"), &["a", "b"], 3);
    let set = load_own(folder.path()).unwrap();
    assert_eq!(set.test.len(), 6);
    assert!(has_note(&set, "those in valid are used"), "{:?}", set.notes);
    put_classes(&folder.path().join("test"), &["a", "b"], 2);
    assert_eq!(load_own(folder.path()).unwrap().test.len(), 4);
}

#[test]
fn test_pictures_without_classes_are_left_out() {
    let folder = tempdir().unwrap();
    for place in ["train/n1", "train/n2", "val", "test"] {
        put_classes(&folder.path().join(place), &["images"], 5);
    }
    let set = load_own(folder.path()).unwrap();
    assert_eq!(set.classes, ["n1", "n2"]);
    assert_eq!((set.train.len(), set.test.len()), (8, 2));
    assert!(has_note(&set, "has no test images"), "{:?}", set.notes);
}

#[test]
fn undivided_classes_are_split_and_ordered_by_number() {
    let folder = tempdir().unwrap();
    put_classes(folder.path(), &["2", "10", "1"], 10);
    let set = load_own(folder.path()).unwrap();
    assert_eq!(set.classes, ["1", "2", "10"]);
    assert_eq!(set.test.class_counts(), [2; 3]);
    assert!(has_note(&set, "PyTorch's ImageFolder"), "{:?}", set.notes);
    put(&folder.path().join("classes.txt"), b"10\n2\n1\n3\n");
    let set = load_own(folder.path()).unwrap();
    assert_eq!(set.classes, ["10", "2", "1", "3"]);
    assert!(
        has_note(&set, "class 3 has no training image"),
        "{:?}",
        set.notes
    );
    put(&folder.path().join("classes.txt"), b"one\nten\n");
    assert!(complaint(folder.path()).contains("names 2 classes, but there are 3 folders"));
}

#[test]
fn folders_are_named_in_any_case_and_all_of_them_or_none() {
    let folder = tempdir().unwrap();
    put_classes(folder.path(), &["Ant", "Bee", "Cow"], 5);
    let file = folder.path().join("classes.txt");
    put(&file, b"cow\nant\nbee\n");
    let set = load_own(folder.path()).unwrap();
    assert_eq!(set.classes, ["cow", "ant", "bee"]);
    for index in 0..set.train.len() {
        let is_cow = set.train.image(index)[0] >= 20;
        assert_eq!(set.train.label(index) == 0, is_cow, "{index}");
    }
    put(&file, b"cow\nant\nbees\n");
    let error = complaint(folder.path());
    assert!(
        error.contains("names some of the folders, but not Bee"),
        "{error}"
    );
    put(&file, b"moo\nsix legs\nbuzz\n");
    let set = load_own(folder.path()).unwrap();
    assert_eq!(set.classes, ["moo", "six legs", "buzz"]);
}

#[test]
fn colour_is_kept_channel_by_channel() {
    let folder = tempdir().unwrap();
    for index in 0..5 {
        put_colour(
            &folder.path().join(format!("red/{index}.png")),
            2,
            3,
            [200, 20, index],
        );
        put_colour(
            &folder.path().join(format!("blue/{index}.JPG")),
            2,
            3,
            [8, 8, 240],
        );
    }
    let set = load_own(folder.path()).unwrap();
    assert_eq!(set.form().shape(), [3, 2, 3]);
    let red = (0..set.train.len())
        .find(|&index| set.train.label(index) == 1)
        .unwrap();
    assert_eq!(
        set.train.image(red)[..12],
        [vec![200; 6], vec![20; 6]].concat()
    );
    let blue = set.train.image(0);
    assert!(blue[0] < 20 && blue[17] > 220, "{blue:?}");
}

#[test]
fn unusual_pictures_are_converted_with_a_note() {
    use image::{ImageBuffer, Luma, LumaA};
    let folder = tempdir().unwrap();
    put_classes(folder.path(), &["a", "b"], 5);
    let deep: ImageBuffer<Luma<u16>, _> = ImageBuffer::from_pixel(2, 3, Luma([257 * 99]));
    deep.save(folder.path().join("a/0.png")).unwrap();
    let clear: ImageBuffer<LumaA<u8>, _> = ImageBuffer::from_pixel(2, 3, LumaA([77, 0]));
    clear.save(folder.path().join("a/1.png")).unwrap();
    put(
        &folder.path().join("a/2.png"),
        &palette_png(&[[50, 50, 50]], false),
    );
    put(
        &folder.path().join("a/3.png"),
        &palette_png(&[[60, 60, 60]], true),
    );
    put(&folder.path().join("a/about.gif"), b"GIF89a");
    let set = load_own(folder.path()).unwrap();
    let mut levels: Vec<u8> = [&set.train, &set.test]
        .into_iter()
        .flat_map(|half| (0..half.len()).map(|index| half.image(index)[0]))
        .collect();
    levels.sort_unstable();
    assert_eq!(levels, [4, 10, 11, 12, 13, 14, 50, 60, 77, 99]);
    for text in [
        "1 of 10 pictures have 16 bits",
        "1 of 10 pictures have transparency",
        "2 of 10 pictures have a palette",
        "1 of 10 pictures are animated",
        "1 file is neither PNG nor JPEG and was skipped (.gif)",
    ] {
        assert!(has_note(&set, text), "{text}: {:?}", set.notes);
    }
}

/// A PNG of 3×2 in the first colour of a palette, optionally with the chunks of an animation.
fn palette_png(colours: &[[u8; 3]], animated: bool) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8], data: &[u8]| {
        bytes.extend((data.len() as u32).to_be_bytes());
        let body = [kind, data].concat();
        bytes.extend(&body);
        bytes.extend(crc32fast::hash(&body).to_be_bytes());
    };
    chunk(b"IHDR", &[0, 0, 0, 2, 0, 0, 0, 3, 8, 3, 0, 0, 0]);
    if animated {
        chunk(b"acTL", &[0, 0, 0, 1, 0, 0, 0, 0]);
        let control = [
            [0, 0, 0, 0],
            [0, 0, 0, 2],
            [0, 0, 0, 3],
            [0; 4],
            [0; 4],
            [0, 1, 0, 10],
        ]
        .concat();
        chunk(b"fcTL", &[&control[..], &[0, 0]].concat());
    }
    chunk(b"PLTE", &colours.concat());
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &[0; 9]).unwrap();
    chunk(b"IDAT", &packed.finish().unwrap());
    chunk(b"IEND", &[]);
    bytes
}

#[test]
fn a_grey_palette_among_colour_pictures_is_read_as_colour() {
    let folder = tempdir().unwrap();
    for index in 0..3 {
        put(
            &folder.path().join(format!("a/{index}.png")),
            &palette_png(&[[7, 7, 7]], false),
        );
        put(
            &folder.path().join(format!("b/{index}.png")),
            &palette_png(&[[7, 8, 9]], false),
        );
    }
    assert_eq!(load_own(folder.path()).unwrap().form().shape(), [3, 3, 2]);
}

#[test]
fn mixed_sizes_and_channels_are_named() {
    let folder = tempdir().unwrap();
    put_classes(folder.path(), &["a", "b"], 5);
    for index in 5..9 {
        put_png(&folder.path().join(format!("b/{index}.png")), 4, 4, 0);
    }
    put_colour(&folder.path().join("b/9.png"), 3, 2, [1, 2, 3]);
    let error = complaint(folder.path());
    assert!(
        error.contains("a/0.png is 3×2 grey, but b/5.png is 4×4 grey, b/6.png is 4×4 grey, b/7.png is 4×4 grey, … (5 of 15 differ)"),
        "{error}"
    );
    for index in 5..9 {
        fs::remove_file(folder.path().join(format!("b/{index}.png"))).unwrap();
    }
    assert!(complaint(folder.path()).contains("b/9.png is 3×2 in colour (1 of 11 differs)"));
}

#[test]
fn unreadable_pictures_are_named() {
    let folder = tempdir().unwrap();
    put_classes(folder.path(), &["a", "b"], 5);
    put(
        &folder.path().join("a/0.png"),
        b"<!doctype html><html>403</html>",
    );
    put(
        &folder.path().join("b/3.png"),
        b"version https://git-lfs.github.com/spec/v1\n",
    );
    let whole = fs::read(folder.path().join("b/1.png")).unwrap();
    put(&folder.path().join("b/1.png"), &whole[..whole.len() / 2]);
    let error = complaint(folder.path());
    assert!(error.contains("3 pictures in "), "{error}");
    assert!(
        error.contains("a/0.png (is a web page), b/1.png (")
            && error.contains("b/3.png (is a Git-LFS pointer)"),
        "{error}"
    );
}

#[test]
fn pictures_without_class_folders_are_refused() {
    let folder = tempdir().unwrap();
    put_png(&folder.path().join("train/1.png"), 2, 2, 0);
    put_png(&folder.path().join("test/1.png"), 2, 2, 0);
    assert!(complaint(folder.path()).contains("pictures must be in one folder per class"));
    let flat = folder.path().join("flat/here");
    put_png(&flat.join("1.png"), 2, 2, 0);
    assert!(
        complaint(&flat).contains("pictures must be in one folder per class")
            || complaint(&flat).contains("one class")
    );
}

#[test]
fn pictures_are_cached_in_one_file_that_is_used_only_if_intact() {
    let (folder, cache) = (tempdir().unwrap(), tempdir().unwrap());
    put_classes(folder.path(), &["a", "b"], 10);
    let files = || -> Vec<_> {
        fs::read_dir(cache.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect()
    };
    let (first, progress) = load_cached(folder.path(), cache.path());
    assert_eq!(progress.last(), Some(&(20, 20)));
    assert_eq!(files().len(), 1);
    let (again, progress) = load_cached(folder.path(), cache.path());
    assert!(progress.is_empty(), "{progress:?}");
    assert_eq!(
        (&first.train, &first.test, &first.notes),
        (&again.train, &again.test, &again.notes)
    );

    // Any single damaged byte is noticed.
    let file = files().remove(0);
    let whole = fs::read(&file).unwrap();
    for position in (0..whole.len()).step_by(7) {
        let mut damaged = whole.clone();
        damaged[position] ^= 1;
        fs::write(&file, damaged).unwrap();
        let (reread, progress) = load_cached(folder.path(), cache.path());
        assert!(!progress.is_empty(), "byte {position}");
        assert_eq!(reread.train, first.train);
    }
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    assert!(!load_cached(folder.path(), cache.path()).1.is_empty());

    // Changed pictures get a new cache file, which replaces the old one.
    put_png(&folder.path().join("a/0.png"), 3, 2, 99);
    let (changed, _) = load_cached(folder.path(), cache.path());
    assert_ne!((&changed.train, &changed.test), (&first.train, &first.test));
    assert_eq!(files().len(), 1);
    assert_ne!(files()[0], file);
}

#[test]
fn an_unwritable_cache_folder_costs_only_the_cache() {
    let (folder, cache) = (tempdir().unwrap(), tempdir().unwrap());
    put_classes(folder.path(), &["a", "b"], 5);
    let blocked = cache.path().join("file");
    fs::write(&blocked, "in the way").unwrap();
    let (set, _) = load_cached(folder.path(), &blocked);
    assert!(has_note(&set, "could not be cached"), "{:?}", set.notes);
}

#[test]
fn reading_stops_on_request_and_caches_nothing_incomplete() {
    let (folder, cache) = (tempdir().unwrap(), tempdir().unwrap());
    put_classes(folder.path(), &["dog", "cat"], 5);
    let plan = plan(folder.path());
    let request = DatasetRequest {
        config: &plan,
        seed: 1,
        data: Path::new("unused"),
        cache: Some(cache.path()),
    };
    let stopped = load(&request, &mut |_, _| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(DataError::Stopped)), "{stopped:?}");
    assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 0);
    let (set, progress) = load_cached(folder.path(), cache.path());
    assert_eq!(set.train.len() + set.test.len(), 10);
    assert_eq!(progress.last(), Some(&(10, 10)));
}
