//! Exports, figures and summaries of images with several channels, other sizes and other numbers of classes: thirteen
//! classes of 3×7×5 images, whose results are known in closed form.

#[path = "fixtures/arrays.rs"]
mod arrays;
#[path = "colours/beside_data.rs"]
mod beside_data;
#[path = "fixtures/colours.rs"]
mod colours;
#[path = "colours/comparison.rs"]
mod comparison;
mod images;

use std::io::Cursor;

use arrays::{container, npy, shape};
use noisescope::drawing::{Sheet, raster};
use noisescope::export::{self, ExportError, json, npz};
use noisescope::figure::{self, Figure};
use noisescope::ids::{ClassId, Gamma};
use noisescope::report::summary;
use noisescope::session::config::Split;
use noisescope::session::form::Shape;
use noisescope::session::{Form, Session};
use serde_json::json;

const SHAPE: Shape = [3, 7, 5];
const K: usize = 13;
const PIXELS: usize = 105;

fn measured() -> Session {
    colours::measured(SHAPE, K)
}

/// Shape and values of an array of floats.
fn floats(container: &[u8], name: &str) -> (Vec<u64>, Vec<f64>) {
    let npy = npy(container, name);
    let file = npyz::NpyFile::new(npy.as_slice()).unwrap();
    (file.shape().to_vec(), file.into_vec::<f64>().unwrap())
}

fn near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-6, "{value} {expected}");
}

#[test]
fn json_has_the_form_and_lists_with_one_entry_per_class() {
    let value = json(&measured());
    let form = &value["form"];
    assert_eq!(form["channels"], 3);
    assert_eq!((&form["height"], &form["width"]), (&json!(7), &json!(5)));
    assert_eq!(form["classes"][4], "Evening gown, long");
    let images = &value["classification_images"];
    for (key, expected) in [
        ("counts", vec![2, K, K]),
        ("sufficient", vec![2, K]),
        ("listed", vec![2, K]),
        ("reliability", vec![2, K]),
        ("fed_back", vec![2, K]),
    ] {
        assert_eq!(shape(&images[key]), expected, "{key}");
    }
    assert_eq!(images["counts"][0][0], json!(vec![2 * colours::CALLED; K]));
    assert_eq!(images["fed_back"][0][1]["class"], 3);
    let attack = &value["attack"]["classification_image"];
    assert_eq!(shape(&attack["targeted"]), [K, 3]);
    assert_eq!(attack["targeted"][2], json!([0.0, 0.5, 1.0]));
    assert!(attack["targeted"][K - 1].is_null());
    assert_eq!(attack["mean"], json!([0.0, 0.5, 1.0]));
    let layer = &value["modulation"]["layers"][0];
    assert_eq!(shape(&layer["accuracy"]), [K, 3, K]);
    assert_eq!(layer["accuracy"][5][2][5], 0.8);
    assert_eq!(layer["accuracy"][5][2][6], 0.4);
    near(layer["noise_share"][5][2].as_f64().unwrap(), 4.0 / 130.0);
    let split = &value["predictions"]["test"];
    assert_eq!(shape(&split["confusion"]), [K, K]);
    assert_eq!(
        (&split["precision"][1], &split["recall"][0]),
        (&json!(0.75), &json!(0.75))
    );
    assert!(split["recall"][K - 1].is_null());
    assert_eq!(shape(&value["backdoor"]["index"]), [K]);
    let layer = &value["spike_triggered"]["layers"][0];
    assert_eq!(
        (&layer["receptive_field"], &layer["channels"]),
        (&json!([2, 3]), &json!(3))
    );
}

#[test]
fn npz_has_a_channel_axis_and_the_class_names() {
    let container = container(&measured());
    let array = |name: &str| floats(&container, name);
    let (g, k) = (2, K as u64);
    for name in ["ci_image", "ci_z", "ci_mean_noise", "ci_mean_stimulus"] {
        assert_eq!(array(name).0, [g, k, 3, 7, 5], "{name}");
    }
    assert_eq!(array("sta_conv1").0, [2, 3, 2, 3]);
    assert_eq!(array("mean_image").0, [k, 3, 7, 5]);
    let names = npy(&container, "classes");
    let file = npyz::NpyFile::new(names.as_slice()).unwrap();
    assert!(
        file.dtype().descr().contains("<U18"),
        "{}",
        file.dtype().descr()
    );
    let names = file.into_vec::<String>().unwrap();
    assert_eq!(names, colours::form(SHAPE, K).classes);
}

#[test]
fn npz_has_the_known_numbers_and_nan_for_missing_ones() {
    let container = container(&measured());
    let values = |name: &str| floats(&container, name).1;
    let (image, z, mean) = (values("ci_image"), values("ci_z"), values("ci_mean_noise"));
    // c = m_k − m: for each class, one of the P numbers is brighter, by the same amount.
    let brighter = colours::BRIGHTER as f64 / 65536.0;
    let trials = 2.0 * colours::CALLED as f64;
    let error = (1.0 / 12.0 * (1.0 / trials - 1.0 / (trials * K as f64))).sqrt();
    for class in ClassId::all(K) {
        for pixel in 0..PIXELS {
            let index = class.0 * PIXELS + pixel;
            let is_own_pixel = f64::from(u8::from(pixel == colours::pixel(class, SHAPE)));
            let is_any_pixel = ClassId::all(K).any(|class| pixel == colours::pixel(class, SHAPE));
            let c = brighter * (is_own_pixel - f64::from(u8::from(is_any_pixel)) / K as f64);
            near(image[index], c);
            assert!(
                (z[index] - c / error).abs() < 1e-4,
                "{} {}",
                z[index],
                c / error
            );
            near(mean[index], 32_768.5 / 65536.0 + brighter * is_own_pixel);
        }
    }
    assert!(image[K * PIXELS..].iter().all(|value| value.is_nan()));
    let sta = values("sta_conv1");
    (0..18).for_each(|pixel| near(sta[pixel], colours::average(pixel)));
    assert!(sta[18..].iter().all(|value| value.is_nan()));
    let mean = values("mean_image");
    near(
        mean[3 * PIXELS],
        (255.0 * 9.0 / K as f64).round() / (3.0 * 255.0),
    );
    assert!(mean[(K - 1) * PIXELS..].iter().all(|value| value.is_nan()));
}

#[test]
fn npz_of_grey_images_has_no_channel_axis() {
    let container = container(&colours::measured([1, 5, 3], 4));
    assert_eq!(floats(&container, "ci_z").0, [2, 4, 5, 3]);
    assert_eq!(floats(&container, "mean_image").0, [4, 5, 3]);
    assert_eq!(floats(&container, "sta_fc1").0, [2, 2, 3]);
}

#[test]
fn tables_give_each_class_by_number_and_by_name() {
    let tables: Vec<(String, String)> = export::tables(&measured())
        .into_iter()
        .map(|(name, table)| (name, table.into_text()))
        .collect();
    let rows = |name: &str| -> Vec<&str> {
        let table = tables.iter().find(|(table_name, _)| table_name == name);
        table.unwrap().1.lines().collect()
    };
    let images = rows("classification_images");
    assert!(images[0].starts_with("noise,gamma,class,name,trials,called,listed,"));
    assert!(
        images[2].starts_with("uniform,0,1,Bag,1040,80,true,true,"),
        "{}",
        images[2]
    );
    assert!(images[2].contains(",3,Dress,0.5,"), "{}", images[2]);
    assert!(
        images[5].contains(",4,\"Evening gown, long\","),
        "{}",
        images[5]
    );
    assert_eq!(images.len(), 1 + K);
    assert_eq!(rows("counts").len(), 1 + K * K);
    assert!(rows("counts").contains(&"uniform,0,0,Ankle boot,2,Coat,80,0"));
    assert!(rows("attack").contains(&"image,classification_image,3,Dress,0.5,5,10"));
    assert!(rows("modulation").contains(&"conv1,0.1,3,Dress,1,1,3,Dress,10,8,8"));
    assert!(rows("backdoor").contains(&"0,0,2,Coat,1000,10,1,1,2,14,9"));
    assert!(rows("backdoor_networks").contains(&"0,true,1,1,Bag,2,Coat,0.75,1,12"));
    assert!(rows("predictions").contains(&"test,0,Ankle boot,1,Bag,1"));
}

#[test]
fn a_class_not_in_the_plan_differs_from_one_with_too_few_trials() {
    let session = colours::listing(SHAPE, K, &[ClassId(3), ClassId(7)]);
    let images = &json(&session)["classification_images"];
    assert_eq!(images["listed"][0][3], true);
    assert_eq!(images["listed"][0][4], false);
    assert_eq!(images["sufficient"][0][4], false);
    let maps = floats(&container(&session), "ci_image");
    assert_eq!(maps.0, [2, K as u64, 3, 7, 5]);
    let class = |class: ClassId| &maps.1[class.0 * PIXELS..(class.0 + 1) * PIXELS];
    assert!(class(ClassId(3)).iter().all(|value| value.is_finite()));
    assert!(class(ClassId(4)).iter().all(|value| value.is_nan()));
    let map = |class| Figure::Map {
        response: None,
        images: 0,
        class,
        gamma: Some(Gamma::NOISE),
    };
    let error = figure::draw(&session, &map(ClassId(4)), Sheet::DOUBLE)
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "the plan has no classification image of Evening gown, long; it has Dress, Hat"
    );
    let error = figure::draw(&session, &map(ClassId(13)), Sheet::DOUBLE)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("there is no class 13; there are Ankle boot, Bag"),
        "{error}"
    );
    let page = summary(&session);
    let line = "the plan has no maps of 11 other classes, called 880 times";
    assert!(page.contains(line), "{page}");
    draw_all(&session);
}

/// Draws every figure on a large, a small and a tiny sheet; returns their names.
fn draw_all(session: &Session) -> Vec<String> {
    let keep_folder = std::env::var_os("KEEP_FIGURES").map(std::path::PathBuf::from);
    let classes = session.record.form.as_ref().map_or(0, Form::class_count);
    let figures = figure::list(session);
    for figure in &figures {
        for width in [180.0, 85.0, 20.0] {
            let sheet = Sheet {
                width,
                ..Sheet::DOUBLE
            };
            let drawing = figure::draw(session, figure, sheet).unwrap();
            assert!(drawing.height < 6_000.0, "{figure:?} on {width}");
            if let Some(folder) = keep_folder.as_ref().filter(|_| width == 180.0) {
                let name = format!("{classes}-{}.png", figure.name());
                raster(&drawing, 8.0).save(folder.join(name)).unwrap();
            }
        }
    }
    figures.iter().map(Figure::name).collect()
}

#[test]
fn every_figure_of_any_form_can_be_drawn() {
    for (shape, classes) in [
        (SHAPE, K),
        ([1, 9, 4], 7),
        ([2, 6, 6], 3),
        ([3, 8, 8], 26),
        ([4, 5, 5], 2),
        ([3, 32, 32], 100),
    ] {
        let names = draw_all(&colours::measured(shape, classes));
        for name in [
            "maps-gamma-0.0",
            "map-1-gamma-0.0",
            "filters-conv1",
            "confusion-test",
        ] {
            assert!(
                names.iter().any(|drawn| drawn == name),
                "{classes}: {names:?}"
            );
        }
    }
}

/// Width divided by height of the sheet of all maps.
fn proportion(classes: usize) -> f64 {
    let session = colours::measured([3, 32, 32], classes);
    let maps = Figure::Maps {
        response: None,
        images: 0,
        gamma: Some(Gamma::NOISE),
    };
    let drawing = figure::draw(&session, &maps, Sheet::DOUBLE).unwrap();
    drawing.sheet.width / drawing.height
}

#[test]
fn a_sheet_of_maps_has_page_proportions_for_any_number_of_classes() {
    for classes in [7, 13, 26, 100] {
        let proportion = proportion(classes);
        assert!((1.0..2.0).contains(&proportion), "{classes}: {proportion}");
    }
}

#[test]
fn a_confusion_matrix_of_100_classes_has_visible_cells() {
    let session = colours::measured([3, 4, 4], 100);
    let split = Split::Test;
    let confusion = Figure::Confusion { nth: 0, split };
    let drawing = figure::draw(&session, &confusion, Sheet::DOUBLE).unwrap();
    let height = drawing.height;
    assert!(height > 100.0 && height < 210.0, "{height}");
}

#[test]
fn a_colour_map_has_a_picture_for_each_channel_and_one_in_true_colour() {
    let session = measured();
    let map = Figure::Map {
        response: None,
        images: 0,
        class: ClassId(3),
        gamma: Some(Gamma::NOISE),
    };
    let drawing = figure::draw(&session, &map, Sheet::DOUBLE).unwrap();
    for part in ["one for each of 3 channels", "at row 4, column 4 in red"] {
        assert!(drawing.alt_text.contains(part), "{}", drawing.alt_text);
    }
    let image = raster(&drawing, 4.0);
    // The mean stimulus is mid-grey, except for the pixel of class 3, which is brighter in red.
    let mean = (32_768.5 + colours::BRIGHTER as f64) / 65536.0 * 255.0;
    let red = [mean.round() as u8, 128, 128];
    assert!(image.pixels().any(|pixel| pixel.0 == red), "no {red:?}");
}

#[test]
fn captions_say_which_plane_of_several_channels_is_drawn() {
    let session = measured();
    let caption = |figure: Figure| {
        let drawing = figure::draw(&session, &figure, Sheet::DOUBLE);
        drawing.unwrap().caption
    };
    let (response, images, gamma) = (None, 0, Some(Gamma::NOISE));
    let maps = caption(Figure::Maps {
        response,
        images,
        gamma,
    });
    assert!(maps.contains("Drawn: the mean of 3 channels."), "{maps}");
    let z = caption(Figure::Significance {
        response,
        images,
        gamma,
    });
    let strongest = "Drawn: the channel farthest from zero of 3 channels.";
    assert!(z.contains(strongest), "{z}");
    // Mean stimuli are in colour.
    let means = caption(Figure::Means { images, gamma });
    assert!(!means.contains("Drawn"), "{means}");
}

#[test]
fn a_summary_uses_class_names() {
    let page = summary(&measured());
    for part in [
        "  images    7×5 in colour, 13 classes: Ankle boot, Bag, Coat, Dress",
        "\nDress ",
        "\nEvening go…",
        "Dress (0.50)",
        "Coat reacts to a patch",
        "conv1 at +1: Ankle boot from 40.0 % to 80.0 %",
        "γ 0.5  no trials yet",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    for line in page.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn experiments_without_results_are_left_out_of_exports() {
    let mut opened = colours::planned();
    opened.record.form = Some(colours::form(SHAPE, K));
    for session in [colours::planned(), opened] {
        let value = json(&session);
        for key in [
            "classification_images",
            "attack",
            "modulation",
            "predictions",
            "backdoor",
        ] {
            assert!(value.get(key).is_none(), "{key}");
        }
        assert_eq!(value["form"].is_null(), session.record.form.is_none());
        assert!(matches!(
            npz(&session, Cursor::new(Vec::new())),
            Err(ExportError::Nothing { .. })
        ));
        assert!(export::tables(&session).is_empty());
        assert_eq!(figure::list(&session), []);
        let page = summary(&session);
        assert!(page.contains("γ 0.5  no trials yet") && page.contains("attack, not started"));
    }
}
