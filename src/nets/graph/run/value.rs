//! [`Value`], a tensor of one to six axes. Burn's tensors carry the number of axes in their type.

use burn::tensor::{Device, Tensor, TensorData};

use crate::session::array::Array;

/// The output of a node. A scalar has one axis here, of length one.
#[derive(Debug, Clone)]
pub enum Value {
    /// One axis.
    R1(Tensor<1>),
    /// Two axes.
    R2(Tensor<2>),
    /// Three axes.
    R3(Tensor<3>),
    /// Four axes.
    R4(Tensor<4>),
    /// Five axes.
    R5(Tensor<5>),
    /// Six axes.
    R6(Tensor<6>),
}

/// Applies an expression that returns a tensor to a value with any number of axes.
macro_rules! map {
    ($value:expr, $x:ident => $body:expr) => {
        match $value {
            $crate::nets::graph::run::value::Value::R1($x) => {
                $crate::nets::graph::run::value::Value::from($body)
            }
            $crate::nets::graph::run::value::Value::R2($x) => {
                $crate::nets::graph::run::value::Value::from($body)
            }
            $crate::nets::graph::run::value::Value::R3($x) => {
                $crate::nets::graph::run::value::Value::from($body)
            }
            $crate::nets::graph::run::value::Value::R4($x) => {
                $crate::nets::graph::run::value::Value::from($body)
            }
            $crate::nets::graph::run::value::Value::R5($x) => {
                $crate::nets::graph::run::value::Value::from($body)
            }
            $crate::nets::graph::run::value::Value::R6($x) => {
                $crate::nets::graph::run::value::Value::from($body)
            }
        }
    };
}

/// Applies an expression to two values; the one with fewer axes gets leading axes of length one.
macro_rules! map_pair {
    ($a:expr, $b:expr, ($x:ident, $y:ident) => $body:expr) => {{
        let (a, b) = ($a, $b);
        let axes = a.axes().max(b.axes());
        macro_rules! arm {
            ($n:literal) => {{
                let ($x, $y) = (a.raised::<$n>(), b.raised::<$n>());
                $crate::nets::graph::run::value::Value::from($body)
            }};
        }
        match axes {
            1 => arm!(1),
            2 => arm!(2),
            3 => arm!(3),
            4 => arm!(4),
            5 => arm!(5),
            _ => arm!(6),
        }
    }};
}

pub(super) use {map, map_pair};

macro_rules! conversions {
    ($($axes:literal $variant:ident),*) => {
        $(impl From<Tensor<$axes>> for Value {
            fn from(tensor: Tensor<$axes>) -> Self {
                Value::$variant(tensor)
            }
        })*

        $(impl Axes<$axes> for Value {
            // The value's own variant comes first.
            #[allow(unreachable_patterns)]
            fn lifted(self) -> Tensor<$axes> {
                match self {
                    Value::$variant(tensor) => tensor,
                    Value::R1(x) => x.unsqueeze(),
                    Value::R2(x) => x.unsqueeze(),
                    Value::R3(x) => x.unsqueeze(),
                    Value::R4(x) => x.unsqueeze(),
                    Value::R5(x) => x.unsqueeze(),
                    Value::R6(x) => x.unsqueeze(),
                }
            }
        })*
    };
}

/// Conversion to tensors of D axes.
pub trait Axes<const D: usize>: Sized {
    /// The tensor, with leading axes of length one added up to D axes.
    fn lifted(self) -> Tensor<D>;
}

conversions!(1 R1, 2 R2, 3 R3, 4 R4, 5 R5, 6 R6);

impl Value {
    /// A host array on a device.
    pub fn of(array: &Array<f32>, device: &Device) -> Self {
        let data = |shape: &[usize]| TensorData::new(array.values().to_vec(), shape.to_vec());
        let shape = array.shape();
        match shape.len() {
            0 => Value::R1(Tensor::from_data(data(&[1]), device)),
            1 => Value::R1(Tensor::from_data(data(shape), device)),
            2 => Value::R2(Tensor::from_data(data(shape), device)),
            3 => Value::R3(Tensor::from_data(data(shape), device)),
            4 => Value::R4(Tensor::from_data(data(shape), device)),
            5 => Value::R5(Tensor::from_data(data(shape), device)),
            _ => Value::R6(Tensor::from_data(data(shape), device)),
        }
    }

    /// Number of axes.
    pub fn axes(&self) -> usize {
        match self {
            Value::R1(_) => 1,
            Value::R2(_) => 2,
            Value::R3(_) => 3,
            Value::R4(_) => 4,
            Value::R5(_) => 5,
            Value::R6(_) => 6,
        }
    }

    /// The length of every axis.
    pub fn dims(&self) -> Vec<usize> {
        match self {
            Value::R1(x) => x.dims().to_vec(),
            Value::R2(x) => x.dims().to_vec(),
            Value::R3(x) => x.dims().to_vec(),
            Value::R4(x) => x.dims().to_vec(),
            Value::R5(x) => x.dims().to_vec(),
            Value::R6(x) => x.dims().to_vec(),
        }
    }

    /// As a tensor of D axes, with leading axes of length one added.
    ///
    /// # Panics
    /// If it has more than D axes; shapes have been checked before.
    pub fn raised<const D: usize>(self) -> Tensor<D>
    where
        Self: Axes<D>,
    {
        self.lifted()
    }

    /// The same values, row-major, in another shape; an empty shape becomes one axis.
    pub fn reshaped(self, shape: &[usize]) -> Self {
        if self.dims() == shape {
            return self;
        }
        match *shape {
            [] => self.reshaped(&[1]),
            [a] => Value::R1(self.into_shape([a])),
            [a, b] => Value::R2(self.into_shape([a, b])),
            [a, b, c] => Value::R3(self.into_shape([a, b, c])),
            [a, b, c, d] => Value::R4(self.into_shape([a, b, c, d])),
            [a, b, c, d, e] => Value::R5(self.into_shape([a, b, c, d, e])),
            [a, b, c, d, e, f, ..] => Value::R6(self.into_shape([a, b, c, d, e, f])),
        }
    }

    fn into_shape<const D: usize>(self, shape: [usize; D]) -> Tensor<D> {
        match self {
            Value::R1(x) => x.reshape(shape),
            Value::R2(x) => x.reshape(shape),
            Value::R3(x) => x.reshape(shape),
            Value::R4(x) => x.reshape(shape),
            Value::R5(x) => x.reshape(shape),
            Value::R6(x) => x.reshape(shape),
        }
    }

    /// Axes in another order.
    pub fn permuted(self, axes: &[usize]) -> Self {
        if axes.iter().copied().eq(0..axes.len()) {
            return self;
        }
        fn permuted<const D: usize>(x: Tensor<D>, axes: &[usize]) -> Tensor<D> {
            let mut order = [0; D];
            order.copy_from_slice(axes);
            x.permute(order)
        }
        map!(self, x => permuted(x, axes))
    }

    /// The device that it is on.
    pub fn device(&self) -> Device {
        match self {
            Value::R1(x) => x.device(),
            Value::R2(x) => x.device(),
            Value::R3(x) => x.device(),
            Value::R4(x) => x.device(),
            Value::R5(x) => x.device(),
            Value::R6(x) => x.device(),
        }
    }
}
