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
    /// The class after, and what was just exported or copied of this one again.
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
    /// In the list of the view in sight.
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

/// The rows of a table of actions: the one that ships, or one with keys of a person's own.
pub type Keys = &'static [Binding];

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl Action {
    /// The name by which a file of preferences calls it: `export-figure`.
    pub fn name(self) -> String {
        let own = match self {
            Self::View(_) => "View".to_owned(),
            own => format!("{own:?}"),
        };
        let mut name = String::new();
        for c in own.chars() {
            if c.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(c.to_ascii_lowercase());
        }
        name
    }
}
