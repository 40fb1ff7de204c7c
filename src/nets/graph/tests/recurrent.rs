//! Tests of recurrent layers against loops over single units.

use super::super::op::{GruReset, RecurrentDirection, RecurrentOutput, RecurrentSpec};
use super::*;

const STEPS: usize = 3;
const IN: usize = 4;
const UNITS: usize = 2;

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// The weights of one direction.
struct Weights {
    input: Vec<f32>,
    state: Vec<f32>,
    bias: Vec<f32>,
    gates: usize,
}

impl Weights {
    fn new(gates: usize, direction: usize) -> Self {
        let part = |seed: u64, size: usize| {
            let all = numbers(2 * size, seed);
            all[direction * size..][..size].to_vec()
        };
        let rows = gates * UNITS;
        Self {
            input: part(2, rows * IN),
            state: part(3, rows * UNITS),
            bias: part(4, 2 * rows),
            gates,
        }
    }

    fn by_input(&self, row: usize, x: &[f32]) -> f32 {
        let weights = &self.input[row * IN..][..IN];
        let sum: f32 = weights.iter().zip(x).map(|(w, x)| w * x).sum();
        sum + self.bias[row]
    }

    fn by_state(&self, row: usize, h: &[f32]) -> f32 {
        let weights = &self.state[row * UNITS..][..UNITS];
        let sum: f32 = weights.iter().zip(h).map(|(w, h)| w * h).sum();
        sum + self.bias[self.gates * UNITS + row]
    }

    fn gate(&self, gate: usize, unit: usize, x: &[f32], h: &[f32]) -> f32 {
        let row = gate * UNITS + unit;
        self.by_input(row, x) + self.by_state(row, h)
    }

    fn lstm(&self, x: &[f32], h: &mut [f32], c: &mut [f32]) {
        let before = h.to_vec();
        for unit in 0..UNITS {
            let gate = |index| self.gate(index, unit, x, &before);
            let (i, o, f) = (sigmoid(gate(0)), sigmoid(gate(1)), sigmoid(gate(2)));
            c[unit] = f * c[unit] + i * gate(3).tanh();
            h[unit] = o * c[unit].tanh();
        }
    }

    fn gru(&self, reset: GruReset, x: &[f32], h: &mut [f32]) {
        let before = h.to_vec();
        let r: Vec<f32> = (0..UNITS)
            .map(|unit| sigmoid(self.gate(1, unit, x, &before)))
            .collect();
        for unit in 0..UNITS {
            let z = sigmoid(self.gate(0, unit, x, &before));
            let row = 2 * UNITS + unit;
            let through = match reset {
                GruReset::AfterMatrix => r[unit] * self.by_state(row, &before),
                GruReset::BeforeMatrix => {
                    let masked: Vec<f32> = r.iter().zip(&before).map(|(r, h)| r * h).collect();
                    self.by_state(row, &masked)
                }
            };
            let candidate = (self.by_input(row, x) + through).tanh();
            h[unit] = (1.0 - z) * candidate + z * before[unit];
        }
    }
}

/// A layer's expected output on images \[1,STEPS,IN\] read as sequences: all states \[L,directions,N,units\],
/// and the last states and cells \[directions,N,units\].
fn expected(reset: Option<GruReset>, direction: RecurrentDirection) -> [Vec<f32>; 3] {
    let x = shown([1, STEPS, IN]);
    let directions = match direction {
        RecurrentDirection::Forward => vec![false],
        RecurrentDirection::Reverse => vec![true],
        RecurrentDirection::Bidirectional => vec![false, true],
    };
    let count = directions.len();
    let mut all = vec![0.0; STEPS * count * 2 * UNITS];
    let (mut last, mut cells) = (Vec::new(), Vec::new());
    for (index, backwards) in directions.into_iter().enumerate() {
        let weights = Weights::new(if reset.is_some() { 3 } else { 4 }, index);
        for n in 0..2 {
            let (mut h, mut c) = (vec![0.0; UNITS], vec![0.0; UNITS]);
            for step in 0..STEPS {
                let time = if backwards { STEPS - 1 - step } else { step };
                let x = &x[(n * STEPS + time) * IN..][..IN];
                match reset {
                    Some(reset) => weights.gru(reset, x, &mut h),
                    None => weights.lstm(x, &mut h, &mut c),
                }
                all[((time * count + index) * 2 + n) * UNITS..][..UNITS].copy_from_slice(&h);
            }
            last.extend(h);
            cells.extend(c);
        }
    }
    [all, last, cells]
}

fn found(
    reset: Option<GruReset>,
    direction: RecurrentDirection,
    output: RecurrentOutput,
) -> Vec<f32> {
    let mut bench = Bench::new([1, STEPS, IN]);
    let rows = UNITS * if reset.is_some() { 3 } else { 4 };
    let directions = direction.count();
    let mut weight = |name: &str, seed, size: usize, shape: &[usize]| {
        let values = numbers(2 * size, seed)[..directions * size].to_vec();
        bench.weight(name, Array::new(shape, values))
    };
    let input = weight("w", 2, rows * IN, &[directions, rows, IN]);
    let state = weight("r", 3, rows * UNITS, &[directions, rows, UNITS]);
    let bias = weight("b", 4, 2 * rows, &[directions, 2 * rows]);
    let axes = vec![2, 0, 1, 3];
    let x = bench.then(Op::Transpose { axes }, bench.input);
    let shape = vec![Dim::fixed(STEPS), Dim::batch(1), Dim::fixed(IN)];
    let x = bench.then(Op::Reshape { shape }, x);
    let recurrent = RecurrentSpec {
        units: UNITS,
        direction,
        output,
    };
    let op = match reset {
        Some(reset) => Op::Gru { recurrent, reset },
        None => Op::Lstm { recurrent },
    };
    let node = bench.add("recurrent", op, &[x.into(), input, state, bias]);
    bench.run(node).1
}

#[test]
fn recurrent_layers_step_through_a_sequence() {
    for direction in [
        RecurrentDirection::Forward,
        RecurrentDirection::Reverse,
        RecurrentDirection::Bidirectional,
    ] {
        for reset in [
            None,
            Some(GruReset::AfterMatrix),
            Some(GruReset::BeforeMatrix),
        ] {
            let [all, last, cells] = expected(reset, direction);
            let case = format!("{reset:?} {direction:?}");
            let output = |output| found(reset, direction, output);
            assert_near(&output(RecurrentOutput::All), &all, &case);
            assert_near(&output(RecurrentOutput::Last), &last, &case);
            if reset.is_none() {
                assert_near(&output(RecurrentOutput::Cell), &cells, &case);
            }
        }
    }
}
