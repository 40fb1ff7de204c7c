//! An audit: the suspect, its references, and what is found in the one and not in the others.

use serde::{Deserialize, Serialize};

use super::{GammaTrials, Progress, Training, arrays, has_shape};
use crate::session::array::Array;
use crate::session::config::{self, NetworkKind};
use crate::session::form::{Form, Shape};
use crate::stats::audit::{
    Examined, Images, Null, Population, Verdict, Window, is_on, leave_one_out, pixels, sides,
    verdict,
};
use crate::stats::share::Share;

/// The networks of an audit: the references that are trained, then those that are poisoned for the
/// purpose, then the suspect, then the references that are taken from sessions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// How far it is; a part is a network, trained first, then shown noise. The last part but one is
    /// the suspect, which is only shown noise; the last pastes what was found on test images.
    pub progress: Progress,
    /// The networks. Empty before it has begun.
    pub networks: Vec<Examinee>,
    /// How far the suspect's image of each class is from the references', pixel by pixel,
    /// \[K,c,h,w\]; NaN where a class has no image. Empty before all networks have been shown noise.
    pub deviation: Array<f32>,
    /// What was found in the suspect, pasted: the classes of the highest scores, that of the highest
    /// first.
    pub pasted: Vec<Pasted>,
}

/// What a network of an audit is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Trained on clean images, to compare with.
    Reference,
    /// Trained on images with a white square that leads to a class, to tell what would be found.
    Poisoned {
        /// The class that the backdoor leads to.
        target: usize,
        /// The square: top row, left column, side, in pixels.
        square: Window,
    },
    /// The network under study.
    Suspect,
}

/// One network of an audit. K classes; maps on the noise's grid of c channels, h rows and w columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Examinee {
    /// What it is there for.
    pub role: Role,
    /// The session that it was taken from; `None` for the suspect and what is trained here.
    #[serde(default)]
    pub from: Option<String>,
    /// The seed of its weights and of the order of its images; of the noise alone for the suspect.
    pub seed: u64,
    /// Its training; dropped once the noise has been shown, and `None` for the suspect.
    pub training: Option<Training>,
    /// Share of clean test images that it classifies correctly; `None` for the suspect.
    pub accuracy: Option<f64>,
    /// Share of the test images of other classes, with the square, that it calls the target.
    pub attack_success: Option<f64>,
    /// How many of them there were.
    pub attacked: u64,
    /// Sums of its trials, one entry; dropped once the images are made.
    pub trials: Vec<GammaTrials>,
    /// Trials by what they were called, \[K\]; empty before the images are made.
    pub called: Vec<u64>,
    /// Its image of every class, \[K,c,h,w\]; NaN where a class has none. Empty before the end.
    pub images: Array<f32>,
    /// How far it is from the references; a reference, from the others. `None` before all networks
    /// have been shown noise.
    pub examined: Option<Examined>,
}

/// What was found of one class, pasted on test images: the pixels of its window that are bright in its
/// image made white.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pasted {
    /// The class.
    pub class: usize,
    /// Its window: top row, left column, side, on the noise's grid.
    pub window: Window,
    /// Images by true class, \[K\].
    pub shown: Vec<u64>,
    /// Those that are called the class without anything pasted, \[K\].
    pub before: Vec<u64>,
    /// Those that are called the class with it, \[K\].
    pub called: Vec<u64>,
}

impl Pasted {
    /// Nothing pasted yet, of K classes.
    pub fn new(class: usize, window: Window, classes: usize) -> Self {
        Self {
            class,
            window,
            shown: vec![0; classes],
            before: vec![0; classes],
            called: vec![0; classes],
        }
    }

    /// Adds the counts of more images.
    pub fn add(&mut self, more: &Self) {
        for (own, more) in [
            (&mut self.shown, &more.shown),
            (&mut self.before, &more.before),
            (&mut self.called, &more.called),
        ] {
            own.iter_mut()
                .zip(more)
                .for_each(|(own, more)| *own += more);
        }
    }

    /// Images of a class that are called the pasted one.
    pub fn of(&self, source: usize) -> Share {
        Share {
            hits: self.called[source],
            of: self.shown[source],
        }
    }

    /// Images of all other classes that are called it: with what was found, or without.
    fn sum(&self, of: &[u64]) -> Share {
        let others = || (0..self.shown.len()).filter(|&class| class != self.class);
        Share {
            hits: others().map(|class| of[class]).sum(),
            of: others().map(|class| self.shown[class]).sum(),
        }
    }

    /// Images of all other classes that are called it.
    pub fn others(&self) -> Share {
        self.sum(&self.called)
    }

    /// The same without anything pasted.
    pub fn without(&self) -> Share {
        self.sum(&self.before)
    }

    /// The other classes whose images are called it most often, several where they are equal, and how
    /// often.
    pub fn sources(&self) -> Option<(Vec<usize>, f64)> {
        let others = (0..self.shown.len()).filter(|&class| class != self.class);
        let rates = || {
            others
                .clone()
                .filter_map(|class| Some((class, self.of(class).rate()?)))
        };
        let most = rates().map(|own| own.1).reduce(f64::max)?;
        let equal = rates().filter(|own| own.1 == most).map(|own| own.0);
        Some((equal.collect(), most))
    }
}

impl Examinee {
    /// A network of which nothing is known yet.
    pub fn new(role: Role, seed: u64) -> Self {
        Self {
            role,
            from: None,
            seed,
            training: None,
            accuracy: None,
            attack_success: None,
            attacked: 0,
            trials: Vec::new(),
            called: Vec::new(),
            images: Array::default(),
            examined: None,
        }
    }

    /// Makes the images from the trials, and drops what only led to them.
    pub fn conclude(&mut self, plan: &config::Audit) {
        let Some(trials) = std::mem::take(&mut self.trials).pop() else {
            return;
        };
        let estimate = trials.estimate();
        let [channels, height, width] = trials.shape();
        let nothing = vec![f32::NAN; channels * height * width];
        let image = |class: &crate::stats::classification::ClassEstimate| match class
            .image(plan.response)
        {
            Some(own) => own.image.clone(),
            None => nothing.clone(),
        };
        let values = estimate.classes.iter().flat_map(image).collect();
        self.called = estimate.classes.iter().map(|it| it.called).collect();
        let shape = [estimate.classes.len(), channels, height, width];
        self.images = Array::new(&shape, values);
        self.training = None;
    }

    /// Whether its images are there.
    pub fn is_concluded(&self) -> bool {
        !self.called.is_empty()
    }

    /// Its images by class.
    fn by_class(&self) -> Images {
        by_class(&self.images)
    }

    fn fits(&self, plan: &config::Audit, form: &Form) -> bool {
        let k = form.count();
        let [c, h, w] = plan.grain().grid(form.shape());
        let of_form = |it: &GammaTrials| {
            it.agrees() && it.images == form.shape() && it.classes() == k && it.shape() == [c, h, w]
        };
        let inside = |(row, column, side): Window, h: usize, w: usize| {
            let along = |first: usize, all: usize| first <= all && side <= all - first;
            along(row, h) && along(column, w)
        };
        let examined = |it: &Examined| {
            let mut classes = it.classes.iter().flatten();
            it.classes.len() == k && classes.all(|own| inside(own.window, h, w))
        };
        let role = match self.role {
            Role::Poisoned { target, square } => {
                target < k && inside(square, form.height, form.width)
            }
            Role::Reference | Role::Suspect => true,
        };
        role && self.trials.len() <= 1
            && self.trials.iter().all(of_form)
            && (has_shape(&self.images, &[0]) || has_shape(&self.images, &[k, c, h, w]))
            && self.called.len() == if self.is_concluded() { k } else { 0 }
            && self.examined.as_ref().is_none_or(examined)
    }
}

/// Whether a poisoned network was found by its class and its square, with noise of such cells.
fn is_right(own: &Examinee, said: &Verdict, cell: usize) -> bool {
    let (Role::Poisoned { target, square }, &[_, _, _, width]) = (own.role, own.images.shape())
    else {
        return false;
    };
    // The square on the noise's grid.
    let (row, column, side) = square;
    let cells = |first: usize| (first + side.max(1) - 1) / cell - first / cell + 1;
    let on_grid = (row / cell, column / cell, cells(row).max(cells(column)));
    said.is_found()
        && said.class == target
        && is_on(said.top.window, &pixels(on_grid, width), width)
}

/// Maps by class, without those that are none.
fn by_class(maps: &Array<f32>) -> Images {
    let [classes, ..] = *maps.shape() else {
        return Vec::new();
    };
    let pixels = maps.values().len() / classes.max(1);
    let maps = maps.values().chunks_exact(pixels.max(1));
    maps.map(|map| map.iter().all(|v| v.is_finite()).then(|| map.to_vec()))
        .collect()
}

impl Audit {
    pub(super) fn new(_: &config::Audit) -> Self {
        Self::default()
    }

    /// The suspect; `None` before it has begun.
    pub fn suspect(&self) -> Option<&Examinee> {
        self.networks.iter().find(|own| own.role == Role::Suspect)
    }

    /// The networks of one kind, with their places.
    fn with(&self, is: impl Fn(Role) -> bool) -> impl Iterator<Item = (usize, &Examinee)> {
        let networks = self.networks.iter().enumerate();
        networks.filter(move |(_, own)| is(own.role))
    }

    /// The references.
    pub fn references(&self) -> impl Iterator<Item = &Examinee> {
        self.with(|role| role == Role::Reference).map(|own| own.1)
    }

    /// The scores of the references, each against the others; empty before all networks have been
    /// shown noise.
    pub fn null(&self) -> Vec<Examined> {
        self.references()
            .filter_map(|own| own.examined.clone())
            .collect()
    }

    /// Compares all networks once all have been shown noise; before, does nothing.
    pub fn examine(&mut self, plan: &config::Audit) {
        if self.networks.is_empty() || !self.networks.iter().all(Examinee::is_concluded) {
            return;
        }
        let images: Vec<Images> = self.networks.iter().map(Examinee::by_class).collect();
        let references: Vec<&Images> = self
            .with(|role| role == Role::Reference)
            .map(|(at, _)| &images[at])
            .collect();
        let shape = match self.suspect().map(|own| own.images.shape()) {
            Some(&[_, channels, height, width]) => [channels, height, width],
            _ => return,
        };
        let sides = sides(plan.cell);
        let population = Population::of(&references);
        let mut null = leave_one_out(&references, shape, &sides).into_iter();
        let examined: Vec<Examined> = self
            .networks
            .iter()
            .zip(&images)
            .map(|(own, images)| match own.role {
                Role::Reference => null.next().unwrap_or_default(),
                _ => population.examine(images, shape, &sides),
            })
            .collect();
        for (own, examined) in self.networks.iter_mut().zip(examined) {
            own.examined = Some(examined);
        }
        let suspects = self.with(|role| role == Role::Suspect);
        let suspect = suspects.map(|(at, own)| (&images[at], own)).next();
        if let Some((own, suspect)) = suspect {
            let pixels: usize = shape.iter().product();
            let map = |(class, image): (usize, &Option<Vec<f32>>)| {
                population.deviation(class, image.as_ref()?)
            };
            let maps = own.iter().enumerate().map(map);
            let maps = maps.flat_map(|map| map.unwrap_or_else(|| vec![f32::NAN; pixels]));
            let deviation = Array::new(suspect.images.shape(), maps.collect());
            self.deviation = deviation;
        }
    }

    /// What is pasted: the classes of the highest scores of the suspect, that of the highest first.
    pub fn findings(&self) -> Vec<(usize, Window)> {
        let examined = self.suspect().and_then(|own| own.examined.as_ref());
        let classes = examined.map_or(&[][..], |it| &it.classes).iter();
        let mut scored: Vec<(usize, f64, Window)> = classes
            .enumerate()
            .filter_map(|(class, own)| Some((class, own.as_ref()?.score, own.as_ref()?.window)))
            .collect();
        // A stable order: of equal scores the first class.
        scored.sort_by(|a, b| b.1.total_cmp(&a.1));
        scored.truncate(config::audit::MOST_PASTED);
        let found = scored.into_iter();
        found.map(|(class, _, window)| (class, window)).collect()
    }

    /// What the references are good for: they are of the suspect's kind, or of another one.
    pub fn null_of(plan: &config::Audit, suspect: NetworkKind) -> Null {
        match plan.kind.of(suspect) == suspect {
            true => Null::References,
            false => Null::OwnClasses,
        }
    }

    /// What is said of the suspect, a network of this kind; `None` before all networks have been shown
    /// noise, and where nothing could be compared.
    pub fn verdict(&self, plan: &config::Audit, suspect: NetworkKind) -> Option<Verdict> {
        let own = self.suspect()?.examined.as_ref()?;
        verdict(own, &self.null(), Self::null_of(plan, suspect))
    }

    /// What is said of the networks that are poisoned for the purpose, which are of the references'
    /// kind: each with its verdict, and whether class and window are right.
    pub fn power(&self, plan: &config::Audit) -> Vec<(&Examinee, Option<Verdict>, bool)> {
        let null = self.null();
        let poisoned = self.with(|role| matches!(role, Role::Poisoned { .. }));
        poisoned
            .map(|(_, own)| {
                let said = own.examined.as_ref();
                let said = said.and_then(|own| verdict(own, &null, Null::References));
                let right = said
                    .as_ref()
                    .is_some_and(|said| is_right(own, said, plan.cell));
                (own, said, right)
            })
            .collect()
    }

    /// Channels, rows and columns of its maps; `None` before all networks have been shown noise.
    pub fn shape(&self) -> Option<Shape> {
        match *self.deviation.shape() {
            [_, channels, height, width] => Some([channels, height, width]),
            _ => None,
        }
    }

    /// The map of a class of the suspect, \[c·h·w\]; `None` where it has none.
    pub fn map(&self, class: usize) -> Option<&[f32]> {
        let pixels: usize = self.shape()?.iter().product();
        let map = self
            .deviation
            .values()
            .get(class * pixels..(class + 1) * pixels)?;
        map.iter().all(|v| v.is_finite()).then_some(map)
    }

    /// What is done and what there is to do, in the unit of the plan.
    pub(super) fn progress(&self, _: &config::Audit) -> (u64, u64) {
        (self.progress.done, self.progress.total)
    }

    pub(super) fn fits(&self, plan: &config::Audit, form: Option<&Form>) -> bool {
        let Some(form) = form.filter(|_| !self.networks.is_empty()) else {
            return self.networks.is_empty() && self.pasted.is_empty();
        };
        let k = form.count();
        let [c, h, w] = plan.grain().grid(form.shape());
        let role = |(at, own): (usize, &Examinee)| match own.role {
            Role::Reference if own.from.is_some() => at >= plan.networks(),
            Role::Reference => at < plan.references,
            Role::Poisoned { .. } => (plan.references..plan.trained()).contains(&at),
            Role::Suspect => at == plan.trained(),
        };
        let pasted = |it: &Pasted| {
            let (row, column, side) = it.window;
            let inside = |first: usize, all: usize| first <= all && side <= all - first;
            it.class < k
                && [&it.shown, &it.before, &it.called]
                    .iter()
                    .all(|counts| counts.len() == k)
                && inside(row, h)
                && inside(column, w)
        };
        self.networks.len() >= plan.networks()
            && (self.networks.len() == plan.networks() || !plan.sessions.is_empty())
            && self.progress.blocks.len() == plan.networks() + 1
            && self.networks.iter().enumerate().all(role)
            && self.networks.iter().all(|own| own.fits(plan, form))
            && (has_shape(&self.deviation, &[0]) || has_shape(&self.deviation, &[k, c, h, w]))
            && self.pasted.iter().all(pasted)
    }
}

arrays!(Examinee: training, trials, images);
arrays!(Audit: networks, deviation);
