//! What an action is, and a row of the table.

use super::key::Key;
use super::place::Place;

/// Something that a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the table below says what each does")]
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
    NextClass,
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
    /// What trials are taken to say: evidence, or decisions.
    SwitchResponse,
    /// What tells every other class from the chosen one.
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
    /// Counted from 0.
    View(usize),
    SwitchLog,
    /// Two sessions side by side.
    Compare,
    EndComparison,
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
    CloseHelp,
    OpenPalette,
    PaletteUp,
    PaletteDown,
    RunChosen,
    ClosePalette,
    OpenJump,
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
    AskDelete,
    DeleteNow,
    Keep,
    Filter,
    KeepFilter,
    ClearFilter,
    PresetUp,
    PresetDown,
    Make,
    Cancel,
    RubOut,
    RubOutAll,
}

/// One row of the table.
#[derive(Debug)]
pub struct Binding {
    /// What it is.
    pub action: Action,
    /// Its keys, the one to show first.
    pub keys: &'static [Key],
    /// What it does, for help.
    pub help: &'static str,
    /// The same in a word, for the footer; rows that share the word share one entry there. Empty:
    /// not in the footer.
    pub short: &'static str,
    /// Where it is there.
    pub places: &'static [Place],
}
