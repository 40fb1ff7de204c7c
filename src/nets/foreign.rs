//! The network of an ONNX file, made ready for study: read for images of a size, simplified, and
//! held against the images that it is to see.

use super::graph::{Graph, GraphError};
use super::import::onnx::{Bundle, OnnxError, Options};
use crate::session::form::Form;

/// A network of a file.
#[derive(Debug, Clone)]
pub struct Foreign {
    /// From images \[N,C,H,W\] to logits \[N,K\], simplified; what the images are scaled by is not in
    /// it yet.
    pub graph: Graph,
    /// What was changed or is worth knowing, a sentence each.
    pub notes: Vec<String>,
    /// One name a class, where the file has them.
    pub class_names: Option<Vec<String>>,
}

/// A file that gives no network for these images.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// It cannot be read as a network.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// It cannot be simplified, which would be a mistake in the rewriting.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// A network that is made for other images or classes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// Images of another size or other channels.
    #[error(
        "it takes images of {takes}, and these are {are}; give it images of its own size and channels"
    )]
    Images {
        /// What it takes.
        takes: String,
        /// What there is.
        are: String,
    },
    /// Another number of classes.
    #[error(
        "it tells {tells} classes apart, and the images are of {are}; give it the classes that it was made for, or noise alone (dataset: None)"
    )]
    Classes {
        /// Its classes.
        tells: usize,
        /// Those of the images.
        are: usize,
    },
}

/// A network that was made for one image at a time, and mixes several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "network.weights: the file says of two images together something else than of each alone: it was made for one image at a time, and how more of them go through cannot be told. Export it with a symbolic batch (dynamic_axes={{\"input\": {{0: \"n\"}}}})"
)]
pub struct MixesImages;

impl Foreign {
    /// Reads the network of a file. `size`, rows and columns, is that of the images where the file
    /// leaves it open.
    ///
    /// # Errors
    /// Where the file holds no network that can be used.
    pub fn open(
        bundle: &Bundle,
        output: Option<&str>,
        size: Option<(usize, usize)>,
    ) -> Result<Self, ForeignError> {
        let options = |size| Options {
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

    /// Its form, the classes named as the file names them, else numbered.
    pub fn form(&self) -> Form {
        self.naming(Form::numbered(self.graph.image(), self.graph.classes()))
    }

    /// A form with the file's names of the classes, where it has none of its own.
    pub fn naming(&self, form: Form) -> Form {
        let fitting = |names: &&Vec<String>| form.is_numbered() && names.len() == form.count();
        match self.class_names.as_ref().filter(fitting) {
            Some(classes) => Form {
                classes: classes.clone(),
                ..form
            },
            None => form,
        }
    }

    /// Whether it is made for images of this form.
    ///
    /// # Errors
    /// [`Misfit`], which says what it is made for.
    pub fn fits(&self, form: &Form) -> Result<(), Misfit> {
        let wanted = Form::numbered(self.graph.image(), self.graph.classes());
        if wanted.shape() != form.shape() {
            return Err(Misfit::Images {
                takes: wanted.size_in_words(),
                are: form.size_in_words(),
            });
        }
        if wanted.count() != form.count() {
            return Err(Misfit::Classes {
                tells: wanted.count(),
                are: form.count(),
            });
        }
        Ok(())
    }
}
