//! Tests of the record of spike-triggered analysis: where a block's sums go, and what is checked and compared.

use super::*;

/// Two units with receptive fields of two pixels, after an odd block of noise and an even one of images.
fn layer() -> LayerResponses {
    let mut layer = LayerResponses::new("fc1", 2, [1, 1, 2], true, Some(vec![0.5; 4]));
    let sums = BlockResponses {
        fields: 3,
        fired: vec![1, 2],
        activation: vec![4, 5],
        magnitude: vec![6, 7],
        stimulus: vec![8, 9],
        weighted: vec![10, 11, 12, 13],
    };
    layer.add_noise(BlockIndex(1), &sums);
    layer.add_images(BlockIndex(2), &sums);
    layer.select_gradient_units(vec![1]);
    layer.add_gradients(3, &[14, 15]);
    layer
}

fn record() -> SpikeTriggered {
    SpikeTriggered {
        layers: vec![layer()],
        ..SpikeTriggered::default()
    }
}

#[test]
fn the_sums_of_a_block_are_added_at_its_parity_in_their_place() {
    let layer = layer();
    let (noise, images) = (&layer.noise, &layer.images);
    assert_eq!((noise.fields, images.fields), ([0, 3], [3, 0]));
    assert_eq!(
        (noise.fired.values(), images.fired.values()),
        (&[1, 2][..], &[1, 2][..])
    );
    assert_eq!(noise.activation.values(), [0, 0, 4, 5]);
    assert_eq!(images.activation.values(), [4, 5, 0, 0]);
    assert_eq!(noise.magnitude.values(), [0, 0, 6, 7]);
    assert_eq!(noise.stimulus.values(), [0, 0, 8, 9]);
    assert_eq!(noise.weighted.values(), [0, 0, 0, 0, 10, 11, 12, 13]);
    assert_eq!(images.weighted.values(), [10, 11, 12, 13, 0, 0, 0, 0]);
    let gradients = &layer.gradients;
    assert_eq!(
        (gradients.fields, gradients.sum.values()),
        (3, &[14, 15][..])
    );
}

#[test]
fn layers_that_differ_in_any_one_field_are_not_equal() {
    let changes: &[fn(&mut LayerResponses)] = &[
        |it| it.name.push('2'),
        |it| it.units = 3,
        |it| it.receptive_field = (2, 1),
        |it| it.channels = 2,
        |it| it.signed = false,
        |it| it.kernel.values_mut()[0] = 0.25,
        |it| it.noise.fields[0] = 1,
        |it| it.images.fields[1] = 1,
        |it| it.gradients.fields = 4,
    ];
    assert!(layer() == layer());
    for (place, change) in changes.iter().enumerate() {
        let mut other = layer();
        change(&mut other);
        assert!(layer() != other, "change {place}");
    }
}

#[test]
fn a_record_fits_if_every_array_has_the_shape_of_its_layer() {
    let plan = config::SpikeTriggered::default();
    let form = Form::numbered([1, 1, 2], 2);
    assert!(record().fits(&plan, Some(&form)) && !record().fits(&plan, None));
    let changes: &[fn(&mut SpikeTriggered)] = &[
        |it| it.progress.blocks = vec![0; 3],
        |it| {
            it.covariance = Some(Covariance::new(
                config::UnitId {
                    layer: "fc1".into(),
                    unit: 0,
                },
                [1, 1, 2],
            ))
        },
        |it| it.layers[0].units = 3,
        |it| it.layers[0].noise.fields = [u64::MAX; 2],
        |it| it.layers[0].images.fields = [1, u64::MAX],
        |it| it.layers[0].noise.fired = Array::zeros(&[1]),
        |it| it.layers[0].noise.activation = Array::zeros(&[4]),
        |it| it.layers[0].noise.magnitude = Array::zeros(&[4]),
        |it| it.layers[0].noise.stimulus = Array::zeros(&[4]),
        |it| it.layers[0].noise.weighted = Array::zeros(&[8]),
        |it| it.layers[0].images.weighted = Array::default(),
        |it| it.layers[0].kernel = Array::zeros(&[4]),
        |it| it.layers[0].kernel = Array::zeros(&[0, 1]),
        |it| it.layers[0].gradients.units[0] = 2,
        |it| it.layers[0].gradients.sum = Array::zeros(&[2]),
    ];
    for (place, change) in changes.iter().enumerate() {
        let mut other = record();
        change(&mut other);
        assert!(!other.fits(&plan, Some(&form)), "change {place}");
    }
    // Without a kernel, and before gradients.
    let mut other = record();
    other.layers[0].kernel = Array::default();
    other.layers[0].gradients = Gradients::default();
    other.progress.blocks = vec![0; 4];
    assert!(other.fits(&plan, Some(&form)));
    // A planned covariance is there from the first block on.
    let unit = config::UnitId {
        layer: "fc1".into(),
        unit: 0,
    };
    let planned = config::SpikeTriggered {
        covariance: Some(unit.clone()),
        ..plan
    };
    assert!(!other.fits(&planned, Some(&form)));
    other.covariance = Some(Covariance::new(unit, [1, 1, 2]));
    assert!(other.fits(&planned, Some(&form)));
}

#[test]
fn averages_outlive_the_sums_they_were_computed_from() {
    let expected = layer().estimate();
    assert!(expected.sta.iter().all(Option::is_some));
    let mut light = layer();
    light.drop_sums();
    assert!(light.noise.weighted == Array::default());
    assert_eq!(light.estimate().sta, expected.sta);
    light.drop_sums();
    assert_eq!(light.estimate().sta, expected.sta);
}

#[test]
fn receptive_fields_of_the_first_version_have_one_channel() {
    let text = ron::to_string(&layer()).unwrap();
    let old = text.replace("channels:1,", "");
    assert!(old.len() < text.len());
    let read: LayerResponses = ron::from_str(&old).unwrap();
    assert_eq!(read.field(), [1, 1, 2]);
}
