//! [`DynTensor`], a tensor of one to six axes. Burn's tensors carry the number of axes in their type.

use burn::tensor::{Device, Tensor, TensorData};

use crate::session::array::Array;

/// The output of a node. A scalar has one axis here, of length one.
#[derive(Debug, Clone)]
pub enum DynTensor {
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
            $crate::nets::graph::run::value::DynTensor::R1($x) => {
                $crate::nets::graph::run::value::DynTensor::from($body)
            }
            $crate::nets::graph::run::value::DynTensor::R2($x) => {
                $crate::nets::graph::run::value::DynTensor::from($body)
            }
            $crate::nets::graph::run::value::DynTensor::R3($x) => {
                $crate::nets::graph::run::value::DynTensor::from($body)
            }
            $crate::nets::graph::run::value::DynTensor::R4($x) => {
                $crate::nets::graph::run::value::DynTensor::from($body)
            }
            $crate::nets::graph::run::value::DynTensor::R5($x) => {
                $crate::nets::graph::run::value::DynTensor::from($body)
            }
            $crate::nets::graph::run::value::DynTensor::R6($x) => {
                $crate::nets::graph::run::value::DynTensor::from($body)
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
                let ($x, $y) = (a.into_tensor::<$n>(), b.into_tensor::<$n>());
                $crate::nets::graph::run::value::DynTensor::from($body)
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
        $(impl From<Tensor<$axes>> for DynTensor {
            fn from(tensor: Tensor<$axes>) -> Self {
                DynTensor::$variant(tensor)
            }
        })*

        $(impl IntoTensor<$axes> for DynTensor {
            // The value's own variant comes first.
            #[allow(unreachable_patterns)]
            fn lifted(self) -> Tensor<$axes> {
                match self {
                    DynTensor::$variant(tensor) => tensor,
                    DynTensor::R1(x) => x.unsqueeze(),
                    DynTensor::R2(x) => x.unsqueeze(),
                    DynTensor::R3(x) => x.unsqueeze(),
                    DynTensor::R4(x) => x.unsqueeze(),
                    DynTensor::R5(x) => x.unsqueeze(),
                    DynTensor::R6(x) => x.unsqueeze(),
                }
            }
        })*
    };
}

/// Conversion to tensors of D axes.
pub trait IntoTensor<const D: usize>: Sized {
    /// The tensor, with leading axes of length one added up to D axes.
    fn lifted(self) -> Tensor<D>;
}

conversions!(1 R1, 2 R2, 3 R3, 4 R4, 5 R5, 6 R6);

impl DynTensor {
    /// A host array on a device.
    pub fn from_array(array: &Array<f32>, device: &Device) -> Self {
        let data = |shape: &[usize]| TensorData::new(array.values().to_vec(), shape.to_vec());
        let shape = array.shape();
        match shape.len() {
            0 => DynTensor::R1(Tensor::from_data(data(&[1]), device)),
            1 => DynTensor::R1(Tensor::from_data(data(shape), device)),
            2 => DynTensor::R2(Tensor::from_data(data(shape), device)),
            3 => DynTensor::R3(Tensor::from_data(data(shape), device)),
            4 => DynTensor::R4(Tensor::from_data(data(shape), device)),
            5 => DynTensor::R5(Tensor::from_data(data(shape), device)),
            _ => DynTensor::R6(Tensor::from_data(data(shape), device)),
        }
    }

    /// Number of axes.
    pub fn axes(&self) -> usize {
        match self {
            DynTensor::R1(_) => 1,
            DynTensor::R2(_) => 2,
            DynTensor::R3(_) => 3,
            DynTensor::R4(_) => 4,
            DynTensor::R5(_) => 5,
            DynTensor::R6(_) => 6,
        }
    }

    /// The length of every axis.
    pub fn dims(&self) -> Vec<usize> {
        match self {
            DynTensor::R1(x) => x.dims().to_vec(),
            DynTensor::R2(x) => x.dims().to_vec(),
            DynTensor::R3(x) => x.dims().to_vec(),
            DynTensor::R4(x) => x.dims().to_vec(),
            DynTensor::R5(x) => x.dims().to_vec(),
            DynTensor::R6(x) => x.dims().to_vec(),
        }
    }

    /// As a tensor of D axes, with leading axes of length one added.
    ///
    /// # Panics
    /// If it has more than D axes; shapes have been checked before.
    pub fn into_tensor<const D: usize>(self) -> Tensor<D>
    where
        Self: IntoTensor<D>,
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
            [a] => DynTensor::R1(self.into_shape([a])),
            [a, b] => DynTensor::R2(self.into_shape([a, b])),
            [a, b, c] => DynTensor::R3(self.into_shape([a, b, c])),
            [a, b, c, d] => DynTensor::R4(self.into_shape([a, b, c, d])),
            [a, b, c, d, e] => DynTensor::R5(self.into_shape([a, b, c, d, e])),
            [a, b, c, d, e, f, ..] => DynTensor::R6(self.into_shape([a, b, c, d, e, f])),
        }
    }

    fn into_shape<const D: usize>(self, shape: [usize; D]) -> Tensor<D> {
        match self {
            DynTensor::R1(x) => x.reshape(shape),
            DynTensor::R2(x) => x.reshape(shape),
            DynTensor::R3(x) => x.reshape(shape),
            DynTensor::R4(x) => x.reshape(shape),
            DynTensor::R5(x) => x.reshape(shape),
            DynTensor::R6(x) => x.reshape(shape),
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
            DynTensor::R1(x) => x.device(),
            DynTensor::R2(x) => x.device(),
            DynTensor::R3(x) => x.device(),
            DynTensor::R4(x) => x.device(),
            DynTensor::R5(x) => x.device(),
            DynTensor::R6(x) => x.device(),
        }
    }
}
