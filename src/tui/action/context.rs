//! [`KeyContext`]: where in the program an action is available.

/// Where an action is available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyContext {
    /// In every view.
    Views,
    /// Where the maps of all classes are side by side.
    Sheet,
    /// Where one class fills the view.
    Enlarged,
    /// Where the reliability of every γ and class is listed.
    Table,
    /// Where the kind of map can be chosen.
    Maps,
    /// Where one class is selected.
    Classes,
    /// Where a pattern is blended into images.
    Attack,
    /// Where one layer is selected.
    Layers,
    /// Where one unit of a layer is selected.
    Units,
    /// Where a layer is pushed along its classification image.
    Strengths,
    /// Where one of several networks is selected, and a γ for it.
    Suspects,
    /// Where one part of the data set is selected.
    Splits,
    /// In the list of shards.
    Shards,
    /// Where a figure can fill the view.
    Figure,
    /// Where a figure fills the view.
    OneFigure,
    /// In the question whether to stop a run.
    Question,
    /// In the list of keys.
    Help,
    /// In the palette of commands.
    Palette,
    /// Where an item of a list is typed to jump to.
    Jump,
    /// Where the user chooses what to copy.
    Copying,
    /// Where a note is typed.
    Noting,
    /// Where a number of trials is typed.
    Extending,
    /// Where two sessions are compared.
    Comparison,
    /// In the list of sessions.
    Sessions,
    /// While the list's filter is typed.
    Filter,
    /// In the form for a new session.
    Form,
    /// In the question whether to delete a session.
    Deleting,
    /// In the same question about a session that cannot be read.
    DeletingByName,
    /// Truly everywhere.
    Everywhere,
}

impl KeyContext {
    /// Every place, in the order of the list of keys.
    pub const ALL: [Self; 29] = [
        Self::Views,
        Self::Sheet,
        Self::Table,
        Self::Maps,
        Self::Enlarged,
        Self::Classes,
        Self::Attack,
        Self::Layers,
        Self::Units,
        Self::Strengths,
        Self::Suspects,
        Self::Splits,
        Self::Shards,
        Self::Figure,
        Self::OneFigure,
        Self::Question,
        Self::Help,
        Self::Palette,
        Self::Jump,
        Self::Copying,
        Self::Noting,
        Self::Extending,
        Self::Comparison,
        Self::Sessions,
        Self::Filter,
        Self::Form,
        Self::Deleting,
        Self::DeletingByName,
        Self::Everywhere,
    ];

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
        match self {
            Self::Views => "every view",
            Self::Sheet => "maps side by side",
            Self::Enlarged => "one map enlarged",
            Self::Table => "table of R",
            Self::Maps => "maps",
            Self::Classes => "views of one class",
            Self::Attack => "attack",
            Self::Layers => "views of one layer",
            Self::Units => "filters",
            Self::Strengths => "modulation",
            Self::Suspects => "backdoor",
            Self::Splits => "predictions",
            Self::Figure => "figures",
            Self::OneFigure => "one figure enlarged",
            Self::Question => "stop?",
            Self::Help => "this list",
            Self::Palette => "commands",
            Self::Shards => "shards",
            Self::Jump => "jump",
            Self::Copying => "copy",
            Self::Noting => "note",
            Self::Extending => "more trials",
            Self::Comparison => "two sessions compared",
            Self::Sessions => "list of sessions",
            Self::Filter => "filter of the list",
            Self::Form => "new session",
            Self::Deleting => "delete?",
            Self::DeletingByName => "delete by name?",
            Self::Everywhere => "everywhere",
        }
    }
}
