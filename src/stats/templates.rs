//! Template matching: images classified by the classification images alone.
//!
//! Each class k has a mean noise image m_k and a classification image c_k. An image x is assigned to the
//! class whose template scores highest, by each of four scores:
//!
//! - raw: ⟨m_k, x⟩;
//! - centred: ⟨c_k, x⟩;
//! - cosine: ⟨c_k, x⟩/‖c_k‖, the cosine up to ‖x‖, which is the same for every class;
//! - Pearson: ⟨c_k − c̄_k, x − x̄⟩/‖c_k − c̄_k‖, Pearson's r up to ‖x − x̄‖.
//!
//! Source: Borji & Lin, *White Noise Analysis of Neural Networks*, ICLR 2020.

use crate::ids::ClassId;

/// Number of scores: raw, centred, cosine, Pearson.
pub const SCORES: usize = 4;

/// The template of one class. P pixels.
#[derive(Debug, Clone, Copy)]
pub struct Template<'a> {
    /// The class.
    pub class: ClassId,
    /// m_k, the mean of the noise classified as k, \[P\].
    pub mean_noise: &'a [f32],
    /// c_k, the classification image, \[P\].
    pub image: &'a [f32],
}

/// The templates of all classes that have one, prepared for scoring images.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateClassifier {
    classes: Vec<ClassId>,
    /// The vectors that x is multiplied by (x − x̄ for the last score), by class and score, \[P\] each.
    filters: Vec<[Vec<f64>; SCORES]>,
}

impl TemplateClassifier {
    /// Builds a classifier from templates in ascending order of class. A template without contrast matches
    /// no image: its cosine and Pearson scores are 0.
    pub fn new(templates: &[Template<'_>]) -> Self {
        Self {
            classes: templates.iter().map(|template| template.class).collect(),
            filters: templates.iter().map(filters).collect(),
        }
    }

    /// The classes that have a template, ascending.
    pub fn classes(&self) -> &[ClassId] {
        &self.classes
    }

    /// The class of an image of bytes, \[P\], by every score; the lowest class on a tie. `None` if there
    /// are no templates.
    pub fn classify(&self, image: &[u8]) -> Option<[ClassId; SCORES]> {
        let x: Vec<f64> = image.iter().map(|&x| f64::from(x) / 255.0).collect();
        let bytes: f64 = image.iter().map(|&x| f64::from(x)).sum();
        let mean = bytes / (255.0 * image.len() as f64);
        let centred: Vec<f64> = x.iter().map(|x| x - mean).collect();
        let shown = [&x, &x, &x, &centred];
        let mut best: Option<[(ClassId, f64); SCORES]> = None;
        for (&class, filters) in self.classes.iter().zip(&self.filters) {
            let scores: [f64; SCORES] = std::array::from_fn(|i| dot(&filters[i], shown[i]));
            match &mut best {
                None => best = Some(scores.map(|score| (class, score))),
                Some(best) => {
                    for (best, score) in best.iter_mut().zip(scores) {
                        if score > best.1 {
                            *best = (class, score);
                        }
                    }
                }
            }
        }
        best.map(|best| best.map(|(class, _)| class))
    }
}

fn filters(template: &Template<'_>) -> [Vec<f64>; SCORES] {
    let wide = |map: &[f32]| map.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
    let image = wide(template.image);
    let mean = image.iter().sum::<f64>() / image.len() as f64;
    let zero_mean = image.iter().map(|c| c - mean).collect();
    [
        wide(template.mean_noise),
        image.clone(),
        unit(image),
        unit(zero_mean),
    ]
}

/// The map scaled to norm 1; a map of zeros is returned unchanged.
fn unit(mut map: Vec<f64>) -> Vec<f64> {
    let norm = dot(&map, &map).sqrt();
    if norm > 0.0 {
        map.iter_mut().for_each(|v| *v /= norm);
    }
    map
}

/// Dot product, summed in pixel order so that every machine gets the same result.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template_of<'a>(class: ClassId, mean_noise: &'a [f32], image: &'a [f32]) -> Template<'a> {
        Template {
            class,
            mean_noise,
            image,
        }
    }

    #[test]
    fn each_score_rates_a_hand_made_pair_of_templates_differently() {
        // x = (1, 0, 0.2).
        let classifier = TemplateClassifier::new(&[
            template_of(ClassId(2), &[0.5, 0.5, 0.0], &[3.0, 0.0, 0.0]),
            template_of(ClassId(5), &[0.5, 0.4, 0.5], &[1.0, 0.0, 0.2]),
        ]);
        // Raw: 0.5 against 0.5 + 0.1. Centred: 3 against 1.04. Cosine: 1 against √1.04. Pearson:
        // the second is the image itself, so it scores highest.
        let called = [5, 2, 5, 5].map(ClassId);
        assert_eq!(classifier.classify(&[255, 0, 51]), Some(called));
    }

    #[test]
    fn brightness_of_the_image_and_of_the_template_does_not_change_pearson() {
        let classifier = TemplateClassifier::new(&[
            template_of(ClassId(0), &[0.0; 4], &[9.0, 9.0, 9.1, 9.0]),
            template_of(ClassId(1), &[0.0; 4], &[0.0, 0.1, 0.0, 0.0]),
        ]);
        for base in [0, 100, 200] {
            let image = [base, base, base + 40, base];
            let (pearson, cosine) = (3, 2);
            let called = classifier.classify(&image).unwrap();
            assert_eq!(called[pearson], ClassId(0));
            assert_eq!(called[cosine], ClassId(0));
            let image = [base, base + 40, base, base];
            assert_eq!(classifier.classify(&image).unwrap()[pearson], ClassId(1));
        }
    }

    #[test]
    fn the_lowest_class_wins_a_tie() {
        let map = [0.3, -0.1, 0.7];
        let classifier = TemplateClassifier::new(&[
            template_of(ClassId(3), &map, &map),
            template_of(ClassId(4), &map, &map),
        ]);
        assert_eq!(classifier.classify(&[9, 200, 31]), Some([ClassId(3); 4]));
        // A uniform grey image correlates with nothing: every template scores exactly 0.
        let other = [-0.3, 0.1, 0.9];
        for (first, second) in [(&map, &other), (&other, &map)] {
            let classifier = TemplateClassifier::new(&[
                template_of(ClassId(3), &map, first),
                template_of(ClassId(4), &map, second),
            ]);
            for grey in [1, 77, 200, 255] {
                assert_eq!(classifier.classify(&[grey; 3]).unwrap()[3], ClassId(3));
            }
        }
    }

    #[test]
    fn flat_and_missing_templates_are_handled() {
        let classifier = TemplateClassifier::new(&[template_of(ClassId(1), &[0.5; 2], &[0.0; 2])]);
        assert_eq!(classifier.classify(&[0, 255]), Some([ClassId(1); 4]));
        assert_eq!(TemplateClassifier::new(&[]).classify(&[0, 255]), None);
        let bright: &[f32] = &[0.0, 1.0];
        let classifier = TemplateClassifier::new(&[
            template_of(ClassId(1), &[0.0; 2], &[0.5; 2]),
            template_of(ClassId(2), bright, bright),
            template_of(ClassId(3), &[0.0; 2], &[0.0; 2]),
        ]);
        assert_eq!(classifier.classes(), [1, 2, 3].map(ClassId));
        // One without contrast scores 0 by Pearson, before or after the one that matches.
        assert_eq!(classifier.classify(&[0, 255]), Some([ClassId(2); 4]));
    }
}
