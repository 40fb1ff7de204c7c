//! The places that an action belongs to.

/// Where an action is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// In every view.
    Views,
    /// Where maps of all classes stand side by side.
    Sheet,
    /// Where one class fills the view.
    Enlarged,
    /// Where the reliability of every γ and class stands.
    Table,
    /// Where the kind of map can be chosen.
    Maps,
    /// Where one class is chosen.
    Classes,
    /// Where a pattern is blended into images.
    Attack,
    /// Where one layer is chosen.
    Layers,
    /// Where one unit of a layer is chosen.
    Units,
    /// Where a layer is pushed.
    Strengths,
    /// Where one of several networks is chosen, and a γ of it.
    Suspects,
    /// Where a part of the data set is chosen.
    Splits,
    /// In the list of shards.
    Shards,
    /// Where a figure can fill the view.
    Figure,
    /// Where a figure fills the view.
    OneFigure,
    /// In front of the question whether to stop a run.
    Question,
    /// In the list of keys.
    Help,
    /// In the palette of commands.
    Palette,
    /// Where one of a list is typed to jump to.
    Jump,
    /// Where it is chosen what is copied.
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
    /// In front of the question whether to delete a session.
    Deleting,
    /// In front of the same question about a session that cannot be read.
    DeletingByName,
    /// Really everywhere.
    Everywhere,
}

impl Place {
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

    /// The places that there are at the same time, each beside what is everywhere: in them a key has one
    /// meaning.
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

    /// Whether characters are typed there.
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
