//! [`Action`], everything a key can do, and [`Binding`], one row of the table of actions.

use strum::IntoStaticStr;

use super::context::KeyContext;
use super::key::Key;

/// Something that a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[allow(missing_docs, reason = "`TABLE` describes each")]
pub enum Action {
    SheetLeft,
    SheetRight,
    SheetUp,
    SheetDown,
    CursorLeft,
    CursorRight,
    CursorUp,
    CursorDown,
    PreviousClass,
    PreviousUnit,
    NextUnit,
    UnitsAbove,
    UnitsBelow,
    LayerAbove,
    LayerBelow,
    PatternAbove,
    PatternBelow,
    SuspectAbove,
    SuspectBelow,
    WeakerGamma,
    StrongerGamma,
    LessPattern,
    MorePattern,
    LessPush,
    MorePush,
    WeakerFinding,
    StrongerFinding,
    NextImages,
    NextExperiment,
    /// Switches between evidence and decisions.
    SwitchResponse,
    /// The map of what separates all other classes from the chosen one.
    Versus,
    SwitchTargets,
    SwitchSource,
    NextSplit,
    SwitchStimuli,
    ShowFigure,
    NextKind,
    SwitchScale,
    SwitchPixels,
    NextLook,
    TruthAbove,
    TruthBelow,
    Enlarge,
    Shrink,
    ShrinkFigure,
    NextView,
    PreviousView,
    /// The view at this index, counted from 0.
    View(usize),
    FirstClass,
    LastClass,
    FirstUnit,
    LastUnit,
    SwitchLog,
    /// The R of every γ and class, in place of the maps.
    OpenTable,
    CloseTable,
    TableClassAbove,
    TableClassBelow,
    TableWeaker,
    TableStronger,
    SortUnits,
    HideSilent,
    RowsAbove,
    RowsBelow,
    FirstShard,
    LastShard,
    ShardAbove,
    ShardBelow,
    SplitView,
    OneView,
    /// Two sessions side by side.
    Compare,
    EndComparison,
    ExportFigure,
    /// The next class, and the last export or copy repeated for it.
    Again,
    OpenCopy,
    CopyCaption,
    CopyCommand,
    CopyNumber,
    CloseCopy,
    OpenNote,
    WriteNote,
    CloseNote,
    Pause,
    AskStop,
    Resume,
    OpenExtend,
    Extend,
    CloseExtend,
    Freeze,
    Leave,
    Help,
    Interrupt,
    Suspend,
    StopNow,
    Stay,
    HelpUp,
    HelpDown,
    HelpFirst,
    FindKeys,
    HelpLast,
    CloseHelp,
    OpenPalette,
    PaletteUp,
    PaletteDown,
    PaletteFirst,
    PaletteLast,
    RunChosen,
    ClosePalette,
    OpenJump,
    /// To a unit by its number.
    OpenUnit,
    /// In the list that the current view shows.
    OpenFind,
    JumpBack,
    JumpOn,
    CompleteJump,
    Jump,
    CloseJump,
    BestGamma,
    RowUp,
    RowDown,
    FirstRow,
    LastRow,
    OpenRow,
    NewSession,
    ResumeRow,
    PauseRow,
    AskStopRow,
    ExtendRow,
    AgainRow,
    AskDelete,
    DeleteNow,
    DeleteNamed,
    Keep,
    KeepNamed,
    Filter,
    KeepFilter,
    ClearFilter,
    PresetUp,
    PresetDown,
    NextLine,
    LineBefore,
    Make,
    Cancel,
    RubOut,
    RubOutAll,
}

/// The rows of a table of actions: the default one, or one with the user's own keys.
pub type KeyBindings = &'static [Binding];

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// The action.
    pub action: Action,
    /// Its keys; the first is the one shown.
    pub keys: &'static [Key],
    /// What it does, for help.
    pub help: &'static str,
    /// The same in one word, for the footer; rows that share a word share one footer entry. Empty: not in the
    /// footer.
    pub short: &'static str,
    /// Where it is available.
    pub contexts: &'static [KeyContext],
}

impl Action {
    /// The name that the preferences file uses: `export-figure`.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
