//! [`KeyContext`]: where in the program an action is available.

use strum::{IntoStaticStr, VariantArray};

/// Where an action is available, in the order of the list of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
pub enum KeyContext {
    /// In every view.
    #[strum(serialize = "every view")]
    Views,
    /// Where the maps of all classes are side by side.
    #[strum(serialize = "maps side by side")]
    Sheet,
    /// Where the reliability of every γ and class is listed.
    #[strum(serialize = "table of R")]
    Table,
    /// Where the kind of map can be chosen.
    #[strum(serialize = "maps")]
    Maps,
    /// Where one class fills the view.
    #[strum(serialize = "one map enlarged")]
    Enlarged,
    /// Where one class is selected.
    #[strum(serialize = "views of one class")]
    Classes,
    /// Where a pattern is blended into images.
    #[strum(serialize = "attack")]
    Attack,
    /// Where one layer is selected.
    #[strum(serialize = "views of one layer")]
    Layers,
    /// Where one unit of a layer is selected.
    #[strum(serialize = "filters")]
    Units,
    /// Where a layer is pushed along its classification image.
    #[strum(serialize = "modulation")]
    Strengths,
    /// Where one of several networks is selected, and a γ for it.
    #[strum(serialize = "backdoor")]
    Suspects,
    /// Where one part of the data set is selected.
    #[strum(serialize = "predictions")]
    Splits,
    /// In the list of shards.
    #[strum(serialize = "shards")]
    Shards,
    /// Where a figure can fill the view.
    #[strum(serialize = "figures")]
    Figure,
    /// Where a figure fills the view.
    #[strum(serialize = "one figure enlarged")]
    OneFigure,
    /// In the question whether to stop a run.
    #[strum(serialize = "stop?")]
    Question,
    /// In the list of keys.
    #[strum(serialize = "this list")]
    Help,
    /// In the palette of commands.
    #[strum(serialize = "commands")]
    Palette,
    /// Where an item of a list is typed to jump to.
    #[strum(serialize = "jump")]
    Jump,
    /// Where the user chooses what to copy.
    #[strum(serialize = "copy")]
    Copying,
    /// Where a note is typed.
    #[strum(serialize = "note")]
    Noting,
    /// Where a number of trials is typed.
    #[strum(serialize = "more trials")]
    Extending,
    /// Where two sessions are compared.
    #[strum(serialize = "two sessions compared")]
    Comparison,
    /// In the list of sessions.
    #[strum(serialize = "list of sessions")]
    Sessions,
    /// While the list's filter is typed.
    #[strum(serialize = "filter of the list")]
    Filter,
    /// In the form for a new session.
    #[strum(serialize = "new session")]
    Form,
    /// In the question whether to delete a session.
    #[strum(serialize = "delete?")]
    Deleting,
    /// In the same question about a session that cannot be read.
    #[strum(serialize = "delete by name?")]
    DeletingByName,
    /// Truly everywhere.
    #[strum(serialize = "everywhere")]
    Everywhere,
}

impl KeyContext {
    /// Every place, in the order of the list of keys.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The sets of places that are active at the same time, besides `Everywhere`: within each set a key has
    /// one meaning.
    pub const TOGETHER: [&'static [Self]; 27] = [
        &[Self::Views, Self::Sheet],
        &[Self::Views, Self::Table],
        &[Self::Views, Self::Sheet, Self::Maps],
        &[Self::Views, Self::Enlarged, Self::Maps],
        &[Self::Views, Self::Classes],
        &[Self::Views, Self::Classes, Self::Attack],
        &[Self::Views, Self::Units, Self::Layers, Self::Figure],
        &[Self::Views, Self::Units, Self::Layers, Self::OneFigure],
        &[Self::Views, Self::Classes, Self::Layers, Self::Strengths],
        &[Self::Views, Self::Classes, Self::Suspects, Self::Figure],
        &[Self::Views, Self::Classes, Self::Suspects, Self::OneFigure],
        &[Self::Views, Self::Classes, Self::Splits, Self::Figure],
        &[Self::Views, Self::Classes, Self::Splits, Self::OneFigure],
        &[Self::Views, Self::Shards],
        &[Self::Question],
        &[Self::Help],
        &[Self::Palette],
        &[Self::Jump],
        &[Self::Copying],
        &[Self::Noting],
        &[Self::Extending],
        &[Self::Comparison],
        &[Self::Sessions],
        &[Self::Filter],
        &[Self::Form],
        &[Self::Deleting],
        &[Self::DeletingByName],
    ];

    /// Whether text is typed there.
    pub fn is_typed(self) -> bool {
        matches!(
            self,
            Self::Palette
                | Self::Jump
                | Self::Noting
                | Self::Extending
                | Self::Filter
                | Self::Form
                | Self::DeletingByName
        )
    }

    /// The place in words.
    pub fn label(self) -> &'static str {
        self.into()
    }
}
