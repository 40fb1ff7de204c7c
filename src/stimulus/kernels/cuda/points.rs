//! Drawing the points of a launch's noise, by kind of noise.

use std::ffi::c_void;

use tch::Kind;

use super::{Kernels, THREADS, argument, data_pointer};
use crate::session::config::Noise;
use crate::stimulus::kernels::KernelLaunch;

/// Words per ChaCha block, and words computed by a thread block.
const WORDS: u64 = 16;
const STRETCH: u64 = THREADS as u64 * WORDS;
/// 64-bit words per chunk of normals, and spare words beyond it, as in the kernels' source.
const CHUNK: u64 = 960;
const SPARE: u64 = 56;
/// Trials of PCA noise drawn by a thread block, as in the kernel's source.
const PCA_TRIALS: u64 = 8;

impl Kernels {
    /// Draws the points of every block.
    pub(super) fn draw_points(
        &self,
        launch: &KernelLaunch<'_>,
        blocks: u64,
        heads: &tch::Tensor,
        places: &tch::Tensor,
        noise: &tch::Tensor,
    ) {
        let (mut heads, mut noise) = (heads.data_ptr(), noise.data_ptr());
        let mut count = (launch.trials * launch.source.points()) as u64;
        let (name, words) = match launch.source.noise() {
            Noise::Gaussian(plan) => {
                let grid = launch.source.noise().grid();
                let mut centre = ((0.5 - grid.offset) / grid.step).round();
                let mut scale = plan.sigma / grid.step;
                let more = [argument(&mut centre), argument(&mut scale)];
                return self.draw_normals("draw_gaussian", blocks, count, heads, &more, noise);
            }
            Noise::Gabor => return self.draw_gabor(launch, blocks, heads, noise),
            Noise::Patch => return self.draw_patch(launch, places, noise),
            Noise::Pca => return self.draw_pca(launch, blocks, heads, noise),
            Noise::Binary => ("draw_binary", count.div_ceil(32)),
            Noise::Uniform => ("draw_uniform", count.div_ceil(2)),
        };
        // A stretch may begin anywhere within a ChaCha block.
        let stretches = (words + WORDS - 1).div_ceil(STRETCH);
        let mut each = stretches as u32;
        let mut arguments = [
            argument(&mut heads),
            argument(&mut count),
            argument(&mut each),
            argument(&mut noise),
        ];
        self.launch(name, blocks * stretches, &mut arguments);
    }

    /// Draws one white patch per image and channel, at `places`.
    fn draw_patch(&self, launch: &KernelLaunch<'_>, places: &tch::Tensor, mut noise: *mut c_void) {
        let [_, height, width] = launch.source.grid();
        let mut places = places.data_ptr();
        let (mut area, mut columns) = ((height * width) as u32, width as u32);
        let mut arguments = [
            argument(&mut places),
            argument(&mut area),
            argument(&mut columns),
            argument(&mut noise),
        ];
        self.launch("draw_patch", launch.places.len() as u64, &mut arguments);
    }

    /// Draws Gabor images from normal numbers.
    fn draw_gabor(
        &self,
        launch: &KernelLaunch<'_>,
        blocks: u64,
        heads: *mut c_void,
        mut noise: *mut c_void,
    ) {
        let [channels, height, width] = launch.source.grid();
        let per_image = launch.source.normals();
        let images = blocks * launch.trials as u64;
        let count = (launch.trials * per_image) as u64;
        let drawn = tch::Tensor::empty([(blocks * count) as i64], (Kind::Float, self.device));
        let mut normals = drawn.data_ptr();
        self.draw_normals("draw_normals", blocks, count, heads, &[], normals);
        let mut filters = launch.constants.map_or(std::ptr::null_mut(), data_pointer);
        let (mut area, mut each) = ((height * width) as u32, (per_image / channels) as u32);
        let mut channels = channels as u32;
        let mut arguments = [
            argument(&mut filters),
            argument(&mut normals),
            argument(&mut channels),
            argument(&mut area),
            argument(&mut each),
            argument(&mut noise),
        ];
        self.launch("draw_gabor", images, &mut arguments);
    }

    /// Draws images of PCA noise, several per thread block.
    fn draw_pca(
        &self,
        launch: &KernelLaunch<'_>,
        blocks: u64,
        mut heads: *mut c_void,
        mut noise: *mut c_void,
    ) {
        let mut constants = launch.constants.map_or(std::ptr::null_mut(), data_pointer);
        let mut components = launch.source.components() as u32;
        let mut pixels = launch.source.points() as u32;
        let groups = (launch.trials as u64).div_ceil(PCA_TRIALS);
        let (mut trials, mut each) = (launch.trials as u32, groups as u32);
        let mut arguments = [
            argument(&mut heads),
            argument(&mut constants),
            argument(&mut components),
            argument(&mut pixels),
            argument(&mut trials),
            argument(&mut each),
            argument(&mut noise),
        ];
        self.launch("draw_pca", blocks * groups, &mut arguments);
    }

    /// Draws the normal numbers of every block, `count` each, by three kernels, the last of which writes them; `more`
    /// are additional arguments of the last kernel.
    fn draw_normals(
        &self,
        last: &str,
        blocks: u64,
        mut count: u64,
        mut heads: *mut c_void,
        more: &[*mut c_void],
        mut out: *mut c_void,
    ) {
        // A normal takes 1.022 words on average.
        let chunks = (count + count.div_ceil(32) + 256).div_ceil(CHUNK);
        let empty = |length: u64, kind| tch::Tensor::empty([length as i64], (kind, self.device));
        let passes = empty(blocks * chunks * SPARE, Kind::Int);
        let entries = empty(blocks * chunks, Kind::Int);
        let firsts = empty(blocks * chunks, Kind::Int64);
        let (mut edges, mut density) = (self.tables[0].data_ptr(), self.tables[1].data_ptr());
        let mut each = chunks as u32;
        let mut passed = passes.data_ptr();
        let mut arguments = [
            argument(&mut heads),
            argument(&mut edges),
            argument(&mut density),
            argument(&mut each),
            argument(&mut passed),
        ];
        self.launch("pass_chunks", blocks * chunks, &mut arguments);
        let (mut entered, mut first) = (entries.data_ptr(), firsts.data_ptr());
        let mut failed = self.failed.data_ptr();
        let mut arguments = [
            argument(&mut passed),
            argument(&mut count),
            argument(&mut each),
            argument(&mut entered),
            argument(&mut first),
            argument(&mut failed),
        ];
        self.launch("link_chunks", blocks, &mut arguments);
        let mut arguments = vec![
            argument(&mut heads),
            argument(&mut edges),
            argument(&mut density),
            argument(&mut each),
            argument(&mut entered),
            argument(&mut first),
        ];
        arguments.extend(more);
        arguments.extend([argument(&mut count), argument(&mut out)]);
        self.launch(last, blocks * chunks, &mut arguments);
    }
}
