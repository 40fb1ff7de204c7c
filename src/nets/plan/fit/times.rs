//! Times of the parts of a training step, for benches.

use std::time::{Duration, Instant};

use super::super::team::{self, run_tasks};
use super::layer::FitLayer;
use super::{BatchMemory, Fit, WriteImage, adam, memory};

impl Fit {
    /// Microseconds per image of each part of a training step on this batch, with all workers.
    pub fn times(&mut self, write_image: WriteImage, labels: &[usize]) -> Vec<(String, f64)> {
        team::with_team(|| self.measure_times(write_image, labels))
    }

    fn measure_times(&mut self, write_image: WriteImage, labels: &[usize]) -> Vec<(String, f64)> {
        let lanes = self.lanes;
        let lane_count = lanes.count();
        let labels = &labels[..labels.len().min(self.portion(labels.len()))];
        self.gradients(write_image, labels);
        let groups = labels.len().div_ceil(lane_count).next_multiple_of(4);
        let frames = BatchMemory {
            pointer: self.memory.pointer(),
            group_len: self.group_len,
            groups,
            images: labels.len(),
        };
        let mut times = Vec::new();
        let mut time = |name: String, run: &mut dyn FnMut()| {
            let began = Instant::now();
            let mut runs = 0;
            while runs < 2 || began.elapsed() < Duration::from_millis(60) {
                run();
                runs += 1;
            }
            let seconds = began.elapsed().as_secs_f64() / f64::from(runs);
            times.push((name, seconds * 1e6 / labels.len().max(1) as f64));
        };
        let each_group = |run: &(dyn Fn(usize) + Sync)| run_tasks(groups, usize::MAX, run);
        time("images into lanes".into(), &mut || {
            each_group(&|group| {
                memory::load(&frames, group, lane_count, write_image, self.image_len)
            });
        });
        let parameters = &mut self.parameters;
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let name = format!("{index} {}", layer.label());
            time(format!("{name}: weights"), &mut || {
                layer.prepare(parameters, lanes);
            });
            time(
                format!("{name}: forward"),
                &mut || match layer.works_by_group() {
                    true => each_group(&|group| layer.forward_group(&frames, group, lanes)),
                    false => layer.forward(&frames, parameters, lanes),
                },
            );
            if let FitLayer::Convolution(convolution) = layer {
                time(format!("{name}: gradients of sums"), &mut || {
                    each_group(&|group| convolution.preactivation_gradients(&frames, group, lanes));
                });
                time(format!("{name}: gradients of inputs"), &mut || {
                    each_group(&|group| convolution.input_gradients(&frames, group, lanes));
                });
            }
            if let FitLayer::Dense(dense) = layer {
                time(format!("{name}: gradients of inputs"), &mut || {
                    dense.input_gradients(&frames, parameters, lanes);
                });
                time(format!("{name}: gradients of weights"), &mut || {
                    dense.weight_gradients(&frames, parameters, lanes);
                });
                continue;
            }
            time(format!("{name}: backward, weights"), &mut || {
                layer.backward(&frames, parameters, lanes);
            });
        }
        time("Adam".into(), &mut || {
            adam::step(&mut self.parameters, 1, 0.0, 0.0);
        });
        times
    }
}
