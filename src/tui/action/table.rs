//! The table itself: one row an action.

use crossterm::event::KeyCode;

use super::binding::{Action, Binding};
use super::key::Key::{self, Char, Control, Digit, Named};
use super::place::Place::{
    self, Attack, Classes, Comparison, Deleting, DeletingByName, Enlarged, Everywhere, Extending,
    Figure, Form, Layers, Maps, OneFigure, Palette, Question, Sessions, Sheet, Splits, Strengths,
    Suspects, Units, Views,
};

const LEFT: Key = Named(KeyCode::Left, "←");
const RIGHT: Key = Named(KeyCode::Right, "→");
const UP: Key = Named(KeyCode::Up, "↑");
const DOWN: Key = Named(KeyCode::Down, "↓");
const ENTER: Key = Named(KeyCode::Enter, "Enter");
const ESCAPE: Key = Named(KeyCode::Esc, "Esc");
const SPACE: Key = Named(KeyCode::Char(' '), "Space");
const TAB: Key = Named(KeyCode::Tab, "Tab");
const BACKSPACE: Key = Named(KeyCode::Backspace, "Backspace");
const HOME: Key = Named(KeyCode::Home, "Home");
const END: Key = Named(KeyCode::End, "End");
const PAGE_UP: Key = Named(KeyCode::PageUp, "PgUp");
const PAGE_DOWN: Key = Named(KeyCode::PageDown, "PgDn");
const BACK_TAB: Key = Named(KeyCode::BackTab, "Shift-Tab");

const fn row(
    action: Action,
    keys: &'static [Key],
    help: &'static str,
    short: &'static str,
    places: &'static [Place],
) -> Binding {
    Binding {
        action,
        keys,
        help,
        short,
        places,
    }
}

/// Every action, in the order of footer and help.
#[rustfmt::skip]
pub const TABLE: &[Binding] = &[
    row(Action::SheetLeft, &[LEFT, Char('h')], "the class on the left", "class", &[Sheet, Classes, Comparison]),
    row(Action::SheetRight, &[RIGHT, Char('l')], "the class on the right", "class", &[Sheet, Classes, Comparison]),
    row(Action::SheetUp, &[UP, Char('k')], "the class above", "class", &[Sheet]),
    row(Action::SheetDown, &[DOWN, Char('j')], "the class below", "class", &[Sheet]),
    row(Action::CursorLeft, &[LEFT, Char('h')], "cursor one pixel left", "cursor", &[Enlarged]),
    row(Action::CursorRight, &[RIGHT, Char('l')], "cursor one pixel right", "cursor", &[Enlarged]),
    row(Action::CursorUp, &[UP, Char('k')], "cursor one pixel up", "cursor", &[Enlarged]),
    row(Action::CursorDown, &[DOWN, Char('j')], "cursor one pixel down", "cursor", &[Enlarged]),
    row(Action::PreviousClass, &[Char(',')], "the class before", "class", &[Enlarged, Sheet, Classes, Comparison]),
    row(Action::NextClass, &[Char('.')], "the class after", "class", &[Enlarged, Sheet, Classes, Comparison]),
    row(Action::PreviousUnit, &[LEFT, Char('h')], "the unit before", "unit", &[Units]),
    row(Action::NextUnit, &[RIGHT, Char('l')], "the unit after", "unit", &[Units]),
    row(Action::UnitsAbove, &[PAGE_UP], "the row of units above", "", &[Units]),
    row(Action::UnitsBelow, &[PAGE_DOWN], "the row of units below", "", &[Units]),
    row(Action::LayerAbove, &[UP, Char('k')], "the layer above", "layer", &[Layers]),
    row(Action::LayerBelow, &[DOWN, Char('j')], "the layer below", "layer", &[Layers]),
    row(Action::PatternAbove, &[UP, Char('k')], "the pattern above", "pattern", &[Attack]),
    row(Action::PatternBelow, &[DOWN, Char('j')], "the pattern below", "pattern", &[Attack]),
    row(Action::SuspectAbove, &[UP, Char('k')], "the network above", "network", &[Suspects]),
    row(Action::SuspectBelow, &[DOWN, Char('j')], "the network below", "network", &[Suspects]),
    row(Action::WeakerGamma, &[Char('[')], "a weaker signal γ", "γ", &[Sheet, Enlarged, Comparison]),
    row(Action::StrongerGamma, &[Char(']')], "a stronger signal γ", "γ", &[Sheet, Enlarged, Comparison]),
    row(Action::LessPattern, &[Char('[')], "less of the pattern, a smaller w", "w", &[Attack]),
    row(Action::MorePattern, &[Char(']')], "more of the pattern, a larger w", "w", &[Attack]),
    row(Action::LessPush, &[Char('[')], "a push of less strength", "strength", &[Strengths]),
    row(Action::MorePush, &[Char(']')], "a push of more strength", "strength", &[Strengths]),
    row(Action::WeakerFinding, &[Char('[')], "what a weaker signal γ shows", "γ", &[Suspects]),
    row(Action::StrongerFinding, &[Char(']')], "what a stronger signal γ shows", "γ", &[Suspects]),
    row(Action::BestGamma, &[Char('b')], "each class at its best γ", "best", &[Sheet, Enlarged]),
    row(Action::Enlarge, &[ENTER], "look closer", "look closer", &[Sheet, Figure]),
    row(Action::Shrink, &[ESCAPE, ENTER], "back to all classes", "all classes", &[Enlarged]),
    row(Action::ShrinkFigure, &[ESCAPE, ENTER], "back to all figures", "all figures", &[OneFigure]),
    row(Action::SwitchTargets, &[Char('a')], "one target class, or the mean of all", "one or all", &[Attack]),
    row(Action::SwitchSource, &[Char('n')], "images attacked, or noise", "images or noise", &[Attack]),
    row(Action::TruthAbove, &[UP, Char('k')], "the true class above", "true class", &[Splits]),
    row(Action::TruthBelow, &[DOWN, Char('j')], "the true class below", "true class", &[Splits]),
    row(Action::NextSplit, &[Char('t')], "the next part of the data set", "part", &[Splits]),
    row(Action::SwitchStimuli, &[Char('n')], "averages on noise, or on training images", "noise or images", &[Units]),
    row(Action::NextImages, &[Char('n')], "the maps of the next noise", "noise", &[Sheet, Enlarged, Comparison]),
    row(Action::SwitchResponse, &[Char('e')], "evidence, or decisions", "evidence", &[Sheet, Enlarged, Comparison]),
    row(Action::Versus, &[Char('v')], "what tells the others from this class", "versus", &[Sheet, Enlarged, Splits]),
    row(Action::NextKind, &[Char('m')], "the next kind of map", "map", &[Maps, Comparison]),
    row(Action::Pause, &[Char('p')], "pause the run, or let it go on", "pause", &[Views]),
    row(Action::AskStop, &[Char('S')], "stop the run after a checkpoint", "stop", &[Views]),
    row(Action::SwitchScale, &[Char('s')], "one scale for all classes, or each its own", "scale", &[Maps, Comparison]),
    row(Action::SwitchPixels, &[Char('x')], "all pixels, or the significant ones only", "significant", &[Maps, Comparison]),
    row(Action::NextLook, &[Char('o')], "luminance, an opponent colour, or a channel", "colours", &[Sheet, Enlarged, Suspects, Units]),
    row(Action::OpenJump, &[Char('c')], "a class by its number or name", "jump", &[Views]),
    row(Action::ShowFigure, &[Char('i')], "the picture at full resolution", "picture", &[Views]),
    row(Action::SwitchLog, &[Char('L')], "show or hide the log", "log", &[Views]),
    row(Action::NextView, &[TAB], "the next view", "", &[Views]),
    row(Action::PreviousView, &[BACK_TAB], "the view before", "", &[Views]),
    row(Action::Compare, &[Char('=')], "side by side with another session", "", &[Views, Sessions]),
    row(Action::View(0), &[Digit], "the view of that number", "", &[Views]),
    row(Action::Resume, &[Char('r')], "go on with a new engine", "resume", &[Views]),
    row(Action::OpenExtend, &[Char('+')], "more trials than were planned", "more trials", &[Views]),
    row(Action::Freeze, &[SPACE], "hold the picture; the run goes on", "hold", &[Views]),
    row(Action::OpenPalette, &[Char(':')], "a command by its name", "commands", &[Views]),
    row(Action::RowUp, &[UP, Char('k')], "the session above", "session", &[Sessions]),
    row(Action::RowDown, &[DOWN, Char('j')], "the session below", "session", &[Sessions]),
    row(Action::FirstRow, &[HOME, Char('g')], "the first session", "", &[Sessions]),
    row(Action::LastRow, &[END, Char('G')], "the last session", "", &[Sessions]),
    row(Action::OpenRow, &[ENTER], "look at the session", "open", &[Sessions]),
    row(Action::NewSession, &[Char('n')], "make a session from a preset", "new", &[Sessions]),
    row(Action::ResumeRow, &[Char('r')], "go on with a new engine", "resume", &[Sessions]),
    row(Action::AskDelete, &[Char('d')], "delete the session; asks first", "delete", &[Sessions]),
    row(Action::Filter, &[Char('/')], "only sessions whose name has a text", "filter", &[Sessions]),
    row(Action::KeepFilter, &[ENTER], "back to the list, filtered", "filter", &[Place::Filter]),
    row(Action::ClearFilter, &[ESCAPE], "all sessions again", "all", &[Place::Filter, Sessions]),
    row(Action::PresetUp, &[UP], "the preset above; the grain above", "preset", &[Form]),
    row(Action::PresetDown, &[DOWN], "the preset below; the grain below", "preset", &[Form]),
    row(Action::NextLine, &[TAB], "the next line: name, network, images", "line", &[Form]),
    row(Action::LineBefore, &[BACK_TAB], "the line before", "", &[Form]),
    row(Action::Make, &[ENTER], "make it and run it; a file is tried first", "make and run", &[Form]),
    row(Action::Cancel, &[ESCAPE], "back to the list", "back", &[Form]),
    row(Action::DeleteNow, &[Char('y')], "move it to trash/", "delete", &[Deleting]),
    row(Action::DeleteNamed, &[ENTER], "move it to trash/, its name typed", "delete", &[DeletingByName]),
    row(Action::Keep, &[ESCAPE, Char('n')], "keep it", "keep", &[Deleting]),
    row(Action::KeepNamed, &[ESCAPE], "keep it, whatever is typed", "keep", &[DeletingByName]),
    row(Action::PaletteUp, &[UP], "the command above", "command", &[Palette]),
    row(Action::PaletteDown, &[DOWN], "the command below", "command", &[Palette]),
    row(Action::RunChosen, &[ENTER], "do it", "do it", &[Palette]),
    row(Action::ClosePalette, &[ESCAPE], "back to the view", "back", &[Palette]),
    row(Action::JumpBack, &[UP, BACK_TAB], "the match before", "match", &[Place::Jump]),
    row(Action::JumpOn, &[DOWN], "the match after", "match", &[Place::Jump]),
    row(Action::CompleteJump, &[TAB], "complete what is typed", "complete", &[Place::Jump]),
    row(Action::Jump, &[ENTER], "to the class", "go", &[Place::Jump]),
    row(Action::CloseJump, &[ESCAPE], "back to the view", "back", &[Place::Jump]),
    row(Action::Extend, &[ENTER], "go on to so many trials", "go on", &[Extending]),
    row(Action::CloseExtend, &[ESCAPE], "back to the view", "back", &[Extending]),
    row(Action::RubOut, &[BACKSPACE], "the last character away", "", &[Palette, Extending, Place::Jump, Place::Filter, Form, DeletingByName]),
    row(Action::RubOutAll, &[Control('u')], "all that is typed away", "", &[Palette, Extending, Place::Jump, Place::Filter, Form, DeletingByName]),
    row(Action::EndComparison, &[Char('q'), ESCAPE], "back from the comparison", "back", &[Comparison]),
    row(Action::Leave, &[Char('q')], "leave; runs go on", "leave", &[Views, Sessions]),
    row(Action::Help, &[Char('?')], "all keys", "help", &[Views, Sessions, Comparison]),
    row(Action::StopNow, &[Char('s'), ENTER], "stop after a checkpoint; run it to go on", "stop after a checkpoint", &[Question]),
    row(Action::Stay, &[ESCAPE, Char('n')], "stay, and let the run go on", "stay", &[Question]),
    row(Action::HelpUp, &[UP, Char('k')], "lines above", "scroll", &[Place::Help]),
    row(Action::HelpDown, &[DOWN, Char('j')], "lines below", "scroll", &[Place::Help]),
    row(Action::CloseHelp, &[ESCAPE, Char('?'), Char('q'), ENTER], "back to the view", "back", &[Place::Help]),
    row(Action::Interrupt, &[Control('c')], "leave; runs go on", "", &[Everywhere]),
    row(Action::Suspend, &[Control('z')], "step aside to the shell; fg comes back", "", &[Everywhere]),
];
