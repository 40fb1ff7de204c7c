//! The protobuf messages of an ONNX file, with the fields that are read. Others are skipped.
//!
//! Field numbers and types: ONNX's `onnx.proto`, <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>.

use bytes::Bytes;

/// A whole file.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ModelProto {
    /// The exporter.
    #[prost(string, tag = "2")]
    pub producer_name: String,
    /// The exporter's version.
    #[prost(string, tag = "3")]
    pub producer_version: String,
    /// The network; empty if the file has none.
    #[prost(message, required, tag = "7")]
    pub graph: GraphProto,
    /// The versions of the operators, one for each domain.
    #[prost(message, repeated, tag = "8")]
    pub opset_import: Vec<OperatorSetIdProto>,
    /// What the exporter noted, such as names of classes.
    #[prost(message, repeated, tag = "14")]
    pub metadata_props: Vec<StringStringEntryProto>,
    /// Operators that the file itself defines.
    #[prost(message, repeated, tag = "25")]
    pub functions: Vec<FunctionProto>,
}

/// The version of a domain's operators.
#[derive(Clone, PartialEq, prost::Message)]
pub struct OperatorSetIdProto {
    /// The domain; empty or `ai.onnx` for the standard operators.
    #[prost(string, tag = "1")]
    pub domain: String,
    /// The version.
    #[prost(int64, tag = "2")]
    pub version: i64,
}

/// A key and its value.
#[derive(Clone, PartialEq, prost::Message)]
pub struct StringStringEntryProto {
    /// The key.
    #[prost(string, tag = "1")]
    pub key: String,
    /// The value.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// Nodes in order of computation, with their arrays.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GraphProto {
    /// The nodes.
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<NodeProto>,
    /// Constant arrays, mostly weights.
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<TensorProto>,
    /// The inputs; in old files also the names of constant arrays.
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<ValueInfoProto>,
    /// The outputs.
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<ValueInfoProto>,
}

/// A function that nodes call like an operator.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FunctionProto {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The names of its inputs.
    #[prost(string, repeated, tag = "4")]
    pub input: Vec<String>,
    /// The names of its outputs.
    #[prost(string, repeated, tag = "5")]
    pub output: Vec<String>,
    /// Its nodes.
    #[prost(message, repeated, tag = "7")]
    pub node: Vec<NodeProto>,
    /// Its domain.
    #[prost(string, tag = "10")]
    pub domain: String,
    /// Attributes with their defaults.
    #[prost(message, repeated, tag = "11")]
    pub attribute_proto: Vec<AttributeProto>,
    /// Which of several functions of one name it is.
    #[prost(string, tag = "13")]
    pub overload: String,
}

/// A call of an operator or a function.
#[derive(Clone, PartialEq, prost::Message)]
pub struct NodeProto {
    /// The names of its inputs; empty for one that is left out.
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    /// The names of its outputs; empty for one that is not needed.
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    /// Its name, which may be empty.
    #[prost(string, tag = "3")]
    pub name: String,
    /// The operator.
    #[prost(string, tag = "4")]
    pub op_type: String,
    /// The operator's attributes.
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<AttributeProto>,
    /// The operator's domain.
    #[prost(string, tag = "7")]
    pub domain: String,
    /// Which of several functions of one name is called.
    #[prost(string, tag = "8")]
    pub overload: String,
    /// What the exporter noted, such as the module's name.
    #[prost(message, repeated, tag = "9")]
    pub metadata_props: Vec<StringStringEntryProto>,
}

/// A named value of a node, of one of these types.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AttributeProto {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// A real number.
    #[prost(float, tag = "2")]
    pub f: f32,
    /// An integer.
    #[prost(int64, tag = "3")]
    pub i: i64,
    /// A string.
    #[prost(bytes = "bytes", tag = "4")]
    pub s: Bytes,
    /// An array.
    #[prost(message, optional, boxed, tag = "5")]
    pub t: Option<Box<TensorProto>>,
    /// A graph.
    #[prost(message, optional, boxed, tag = "6")]
    pub g: Option<Box<GraphProto>>,
    /// Real numbers.
    #[prost(float, repeated, tag = "7")]
    pub floats: Vec<f32>,
    /// Integers.
    #[prost(int64, repeated, tag = "8")]
    pub ints: Vec<i64>,
    /// Strings.
    #[prost(bytes = "bytes", repeated, tag = "9")]
    pub strings: Vec<Bytes>,
    /// Arrays.
    #[prost(message, repeated, tag = "10")]
    pub tensors: Vec<TensorProto>,
    /// Graphs.
    #[prost(message, repeated, tag = "11")]
    pub graphs: Vec<GraphProto>,
    /// In a function: the attribute of the caller that gives the value; else empty.
    #[prost(string, tag = "21")]
    pub ref_attr_name: String,
}

/// An array.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TensorProto {
    /// The lengths of its axes.
    #[prost(int64, repeated, tag = "1")]
    pub dims: Vec<i64>,
    /// The code of the type of its numbers.
    #[prost(int32, tag = "2")]
    pub data_type: i32,
    /// Its numbers, if of 32-bit floats.
    #[prost(float, repeated, tag = "4")]
    pub float_data: Vec<f32>,
    /// Its numbers, if of a type of at most 32 bits that has no field of its own.
    #[prost(int32, repeated, tag = "5")]
    pub int32_data: Vec<i32>,
    /// Its numbers, if of 64-bit integers.
    #[prost(int64, repeated, tag = "7")]
    pub int64_data: Vec<i64>,
    /// Its name.
    #[prost(string, tag = "8")]
    pub name: String,
    /// The bytes of its numbers, little-endian, instead of a field for their type.
    #[prost(bytes = "bytes", tag = "9")]
    pub raw_data: Bytes,
    /// Its numbers, if of 64-bit floats.
    #[prost(double, repeated, tag = "10")]
    pub double_data: Vec<f64>,
    /// Its numbers, if of unsigned integers of 32 or 64 bits.
    #[prost(uint64, repeated, tag = "11")]
    pub uint64_data: Vec<u64>,
    /// Where its numbers are in another file: `location`, `offset`, `length`.
    #[prost(message, repeated, tag = "13")]
    pub external_data: Vec<StringStringEntryProto>,
    /// 1 if its numbers are in another file.
    #[prost(int32, tag = "14")]
    pub data_location: i32,
}

/// The name and type of an input or output.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ValueInfoProto {
    /// The name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The type.
    #[prost(message, optional, tag = "2")]
    pub value_type: Option<TypeProto>,
}

/// The type of a value; without `tensor_type` it is no array.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TypeProto {
    /// The type of an array.
    #[prost(message, optional, tag = "1")]
    pub tensor_type: Option<TensorTypeProto>,
}

/// The type of an array.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TensorTypeProto {
    /// The code of the type of its numbers.
    #[prost(int32, tag = "1")]
    pub elem_type: i32,
    /// The lengths of its axes; missing if even their number is unknown.
    #[prost(message, optional, tag = "2")]
    pub shape: Option<TensorShapeProto>,
}

/// The lengths of an array's axes.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TensorShapeProto {
    /// One for each axis.
    #[prost(message, repeated, tag = "1")]
    pub dim: Vec<DimensionProto>,
}

/// The length of an axis.
#[derive(Clone, PartialEq, prost::Message)]
pub struct DimensionProto {
    /// A number or a name; missing if the length is open.
    #[prost(oneof = "LengthProto", tags = "1, 2")]
    pub value: Option<LengthProto>,
}

/// A length that is fixed, or open with a name.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum LengthProto {
    /// The number.
    #[prost(int64, tag = "1")]
    Fixed(i64),
    /// The name.
    #[prost(string, tag = "2")]
    Named(String),
}
