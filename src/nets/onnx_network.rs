//! Networks from ONNX files: reads one for a given image size, simplifies it, and checks that it
//! fits the session's images and classes.

pub mod original;

use super::graph::{Graph, GraphError};
use super::import::onnx::{Bundle, OnnxError, OnnxOptions};
use crate::session::form::Form;

/// A network from an ONNX file.
#[derive(Debug, Clone)]
pub struct OnnxNetwork {
    /// From images \[N,C,H,W\] to logits \[N,K\], simplified; input scaling is not included yet.
    pub graph: Graph,
    /// Changes made and other remarks for the user, one sentence each.
    pub notes: Vec<String>,
    /// One name per class, if the file has them.
    pub class_names: Option<Vec<String>>,
}

/// Why a file gives no network for these images.
#[derive(Debug, thiserror::Error)]
pub enum OnnxNetworkError {
    /// It cannot be read as a network.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// It cannot be simplified, which would be a bug in a rewrite.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// A network made for other images or classes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkMismatch {
    /// Images of another size or with other channels.
    #[error(
        "it takes images of {takes}, but these are {are}; use images of the size and channels it takes"
    )]
    Images {
        /// The images it takes.
        takes: String,
        /// The images of the session.
        are: String,
    },
    /// Another number of classes.
    #[error(
        "it has {tells} classes, but the images have {are}; use the classes it was made for, or noise alone (dataset: None)"
    )]
    Classes {
        /// Its number of classes.
        tells: usize,
        /// The images' number of classes.
        are: usize,
    },
}

impl OnnxNetwork {
    /// Reads the network of a file. `size` (rows and columns of the images) applies if the file leaves
    /// it open.
    ///
    /// # Errors
    /// If the file holds no usable network.
    pub fn open(
        bundle: &Bundle,
        output: Option<&str>,
        size: Option<(usize, usize)>,
    ) -> Result<Self, OnnxNetworkError> {
        let options = |size| OnnxOptions {
            output: output.map(str::to_owned),
            size,
        };
        let imported = match bundle.network(&options(None)) {
            Err(error) if error.leaves_size_open() && size.is_some() => {
                bundle.network(&options(size))?
            }
            read => read?,
        };
        let simple = imported.graph.simplified()?;
        let notes = simple.notes.iter().map(ToString::to_string);
        Ok(Self {
            graph: simple.graph,
            notes: notes.chain(imported.notes).collect(),
            class_names: imported.class_names,
        })
    }

    /// Its form, with the file's class names if it has them, else numbered classes.
    pub fn form(&self) -> Form {
        self.with_class_names(Form::numbered(self.graph.image(), self.graph.classes()))
    }

    /// `form` with the file's class names, unless it already has names.
    pub fn with_class_names(&self, form: Form) -> Form {
        let fitting =
            |names: &&Vec<String>| form.is_numbered() && names.len() == form.class_count();
        match self.class_names.as_ref().filter(fitting) {
            Some(classes) => Form {
                classes: classes.clone(),
                ..form
            },
            None => form,
        }
    }

    /// Checks that it is made for images of this form.
    ///
    /// # Errors
    /// [`NetworkMismatch`], which states what it is made for.
    pub fn check_fits(&self, form: &Form) -> Result<(), NetworkMismatch> {
        let expected = Form::numbered(self.graph.image(), self.graph.classes());
        if expected.shape() != form.shape() {
            return Err(NetworkMismatch::Images {
                takes: expected.size_in_words(),
                are: form.size_in_words(),
            });
        }
        if expected.class_count() != form.class_count() {
            return Err(NetworkMismatch::Classes {
                tells: expected.class_count(),
                are: form.class_count(),
            });
        }
        Ok(())
    }
}
