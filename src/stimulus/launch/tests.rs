//! Tests of launches: drawn on the host, and what kernels are given to draw them.

use super::*;
use crate::ids::BlockIndex;
use crate::session::config::{Gaussian, Grain, Noise};

fn slots() -> [Slot; 4] {
    [0, 1, 2, 3].map(|i| Slot {
        seed: BlockSeed {
            session: 1,
            analysis: 0,
            stream: 1,
            block: BlockIndex(5 + i),
        },
        first: 9 * i,
        // One slot is empty, and one block is short.
        trials: [9, 0, 9, 4][i as usize],
    })
}

#[test]
fn a_launch_shows_the_same_as_single_blocks() {
    let images = crate::stimulus::tests::images();
    let pool = Pool::new(&images);
    let device = Device::flex();
    let coarse = Grain {
        cell: 2,
        grey: false,
    };
    for (noise, grain, gamma) in [
        (Noise::Uniform, Grain::default(), Gamma::NOISE),
        (Noise::Uniform, Grain::default(), Gamma(0.3)),
        (Noise::Gaussian(Gaussian::default()), coarse, Gamma(0.3)),
        (Noise::Binary, Grain::default(), Gamma(1.0)),
    ] {
        let source = NoiseSource::with_grain(noise, grain, &images);
        let resident = DeviceData::default();
        let launch = LaunchSource::new(&source, gamma, 9, &pool, &resident, &device);
        assert_eq!(launch.numbers(), 784, "an image's, whatever the grain");
        let drawn = launch.draw(&slots());
        let points = source.points();
        let noise: Vec<i64> = drawn
            .noise
            .cast(DType::I64)
            .into_data()
            .try_into_vec()
            .unwrap();
        let stimuli: Vec<f32> = drawn.stimuli.into_data().try_into_vec().unwrap();
        for (i, slot) in slots().into_iter().enumerate() {
            let alone =
                crate::stimulus::draw(slot.seed, &source, gamma, slot.first, slot.trials, &pool);
            let drawn_noise = &noise[i * 9 * points..][..slot.trials * points];
            assert!(
                drawn_noise
                    .iter()
                    .zip(&alone.noise)
                    .all(|(&z, &k)| z + GRID_CENTRE == i64::from(k))
            );
            assert_eq!(stimuli[i * 9 * 784..][..slot.trials * 784], alone.stimuli);
            let shown = &drawn.truth_on_host[i * 9..(i + 1) * 9];
            let truth = alone.truth.iter().map(|class| class.0 as i16);
            let padding = std::iter::repeat_n(10, 9 - slot.trials);
            assert!(shown.iter().copied().eq(truth.chain(padding)));
        }
    }
}

fn integers(tensor: Tensor<2, Int>) -> Vec<i64> {
    let data = tensor.cast(DType::I64).into_data();
    data.try_into_vec().unwrap()
}

#[test]
fn every_trial_has_its_image_and_padding_is_grey_without_a_class() {
    let images = crate::stimulus::tests::images();
    let (pool, device) = (Pool::new(&images), Device::flex());
    let source = NoiseSource::new(Noise::Uniform, &images);
    let resident = DeviceData::default();
    let launch = LaunchSource::new(&source, Gamma(0.3), 9, &pool, &resident, &device);
    let drawn = launch.draw(&slots());
    // One upload: for each of 36 trials the points, the class and two pieces of the image's index, of two bytes each.
    assert_eq!(resident.traffic().so_far(), [1, 2 * 36 * (784 + 3), 0, 0]);
    let truth: Vec<i64> = drawn
        .truth
        .cast(DType::I64)
        .into_data()
        .try_into_vec()
        .unwrap();
    let on_host = drawn.truth_on_host.iter().map(|&class| i64::from(class));
    assert!(truth.iter().copied().eq(on_host));
    let (noise, shown) = (integers(drawn.noise), integers(drawn.images.unwrap()));
    assert_eq!((noise.len(), shown.len()), (36 * 784, 36 * 784));
    for (i, slot) in slots().into_iter().enumerate() {
        let alone = choose(slot.seed, slot.first, slot.trials, &pool);
        for (trial, &image) in alone.image.iter().enumerate() {
            let shown = shown[(i * 9 + trial) * 784..][..784].iter();
            let bytes = pool.image(image).iter().map(|&byte| i64::from(byte));
            assert!(shown.copied().eq(bytes), "{i} {trial}");
        }
        let (begin, end) = (i * 9 + slot.trials, (i + 1) * 9);
        assert!(truth[begin..end].iter().all(|&class| class == 10));
        assert!(noise[begin * 784..end * 784].iter().all(|&k| k == 0));
    }
}

#[test]
fn an_image_beyond_the_32_768th_is_the_one_shown() {
    // An image's pixel differs from that of the image 32,768 before it, which is no multiple of 251.
    let count = 65_000;
    let images = crate::data::Images {
        pixels: (0..count).map(|i| (i % 251) as u8).collect(),
        labels: vec![0; count].into(),
        channels: 1,
        height: 1,
        width: 1,
        classes: 1,
    };
    let (pool, device) = (Pool::new(&images), Device::flex());
    let source = NoiseSource::new(Noise::Uniform, &images);
    let resident = DeviceData::default();
    let launch = LaunchSource::new(&source, Gamma(1.0), 64, &pool, &resident, &device);
    let slot = Slot {
        trials: 64,
        ..slots()[0]
    };
    let stimuli: Vec<f32> = launch
        .draw(&[slot])
        .stimuli
        .into_data()
        .try_into_vec()
        .unwrap();
    let chosen = choose(slot.seed, slot.first, 64, &pool).image;
    assert!(chosen.iter().any(|&image| image >= 1 << LOW_BITS));
    assert_eq!(stimuli.len(), chosen.len());
    for (value, image) in stimuli.iter().zip(chosen) {
        assert!(
            (value - (image % 251) as f32 / 255.0).abs() < 1e-6,
            "{image}"
        );
    }
}

/// Six images of three channels of 9×14 pixels, two of each class.
fn coloured() -> crate::data::Images {
    crate::data::Images {
        pixels: vec![7; 6 * 3 * 9 * 14].into(),
        labels: [0, 1, 2, 0, 1, 2].into(),
        channels: 3,
        height: 9,
        width: 14,
        classes: 3,
    }
}

#[test]
fn kernels_are_given_what_single_blocks_are_drawn_from() {
    let images = coloured();
    let (pool, device) = (Pool::new(&images), Device::flex());
    let source = NoiseSource::new(Noise::Patch, &images);
    let resident = DeviceData::default();
    let launch = LaunchSource::new(&source, Gamma(0.25), 9, &pool, &resident, &device);
    let inputs = launch.kernel_inputs(&slots());
    // Twelve words for each of four blocks; an image, a class and three places for each of 36 trials.
    let KernelInputs {
        heads,
        image,
        truth,
        places,
    } = &inputs;
    assert_eq!(
        [heads.len(), image.len(), truth.len(), places.len()],
        [48, 36, 36, 108]
    );
    assert_eq!(inputs.bytes(), 4 * (48 + 36 + 36 + 108));
    for (i, slot) in slots().into_iter().enumerate() {
        let alone = crate::stimulus::draw_noise(slot.seed, &source, slot.first, slot.trials, &pool);
        let (begin, end, next) = (i * 9, i * 9 + slot.trials, (i + 1) * 9);
        let shown = alone.truth.iter().map(|class| class.0 as i16);
        assert!(truth[begin..end].iter().copied().eq(shown), "{i}");
        let chosen = alone.image.iter().map(|&image| image as u32);
        assert!(image[begin..end].iter().copied().eq(chosen), "{i}");
        // A patch begins at the first white pixel of its channel.
        let white = |channel: &[u16]| channel.iter().position(|&k| k == 1).unwrap() as u32;
        let patches = alone.noise.chunks_exact(9 * 14).map(white);
        assert!(
            places[3 * begin..3 * end].iter().copied().eq(patches),
            "{i}"
        );
        // Padding has no class.
        assert!(truth[end..next].iter().all(|&class| class == 3), "{i}");
        assert!(image[end..next].iter().all(|&image| image == 0), "{i}");
        assert!(places[3 * end..3 * next].iter().all(|&place| place == 0));
        // The key, from where its words are the noise, and the weight of noise.
        let head = &heads[12 * i..12 * (i + 1)];
        let mut rng = slot.seed.generator();
        let key: Vec<u8> = head[..8]
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect();
        assert_eq!(key, rng.get_seed(), "{i}");
        rng.set_word_pos(u128::from(head[9]) << 32 | u128::from(head[8]));
        assert_eq!(source.draw(&mut rng, slot.trials), alone.noise, "{i}");
        assert_eq!(head[10], 0.75_f32.to_bits(), "{i}");
    }
}

#[test]
fn noise_alone_has_classes_but_neither_images_nor_places() {
    let images = crate::data::Images {
        pixels: [].into(),
        labels: [].into(),
        ..coloured()
    };
    let (pool, device) = (Pool::new(&images), Device::flex());
    let source = NoiseSource::new(Noise::Gaussian(Gaussian::default()), &images);
    let resident = DeviceData::default();
    let launch = LaunchSource::new(&source, Gamma::NOISE, 4, &pool, &resident, &device);
    let slot = Slot {
        first: 7,
        trials: 3,
        ..slots()[0]
    };
    let inputs = launch.kernel_inputs(&[slot]);
    assert_eq!(inputs.truth, [1, 2, 0, 3]);
    assert_eq!(inputs.image, [0; 4]);
    assert!(inputs.places.is_empty());
    assert_eq!(inputs.bytes(), 4 * (12 + 4 + 4));
    // Drawn on the host, noise cannot fail, so nothing is read back to check it.
    launch.draw(&[slot]);
    launch.check();
    let [uploads, _, readbacks, _] = resident.traffic().so_far();
    assert_eq!((uploads, readbacks), (1, 0));
}
