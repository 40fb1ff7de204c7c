//! What has been typed of a command line, and what clap's description of the program says could follow.

use clap::{Arg, ArgAction, Command};

use super::live::Live;
use super::offer::{Candidate, Offer};

/// What has been typed, before the word at the cursor.
pub struct Typed<'a> {
    /// The command.
    pub command: &'a Command,
    /// Its words that belong to no option.
    pub positionals: Vec<&'a str>,
    /// The sessions folder that an option names.
    pub sessions: Option<&'a str>,
    /// The options that were given.
    given: Vec<&'a str>,
    /// The option whose value comes next.
    open: Option<&'a Arg>,
    /// Whether `--` came before, after which there are no options.
    is_escaped: bool,
}

impl<'a> Typed<'a> {
    /// Reads the words after the program's name.
    pub fn read(program: &'a Command, words: &'a [String]) -> Self {
        let mut typed = Self {
            command: program,
            positionals: Vec::new(),
            sessions: None,
            given: Vec::new(),
            open: None,
            is_escaped: false,
        };
        for word in words {
            typed.read_word(word);
        }
        typed
    }

    fn read_word(&mut self, word: &'a str) {
        if let Some(option) = self.open.take() {
            self.note_value(option, word);
            return;
        }
        match word.strip_prefix("--") {
            Some("") if !self.is_escaped => self.is_escaped = true,
            Some(option) if !self.is_escaped => self.read_option(option),
            _ => match self.command.find_subcommand(word) {
                Some(command) if self.positionals.is_empty() => self.command = command,
                _ if word.starts_with('-') && !self.is_escaped => {}
                _ => self.positionals.push(word),
            },
        }
    }

    /// Reads an option without its hyphens, perhaps with a value.
    fn read_option(&mut self, option: &'a str) {
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (option, None),
        };
        let Some(option) = long(self.command, name) else {
            return;
        };
        self.given.push(option.get_id().as_str());
        match value {
            Some(value) => self.note_value(option, value),
            None if takes_a_word(option) => self.open = Some(option),
            None => {}
        }
    }

    fn note_value(&mut self, option: &Arg, value: &'a str) {
        if option.get_id().as_str() == "sessions" {
            self.sessions = Some(value);
        }
    }

    /// What could be at the place of the word at the cursor.
    pub fn offer(&self, current: &str, live: &Live<'_>) -> Offer {
        if let Some(option) = self.open {
            return values(option, live);
        }
        if current.starts_with('-') && !self.is_escaped {
            let value = current.strip_prefix("--");
            return match value.and_then(|rest| rest.split_once('=')) {
                Some((name, _)) => self.values_after_equals(name, live),
                None => self.options(),
            };
        }
        let mut offer = self
            .positional()
            .map_or_else(Offer::default, |word| values(word, live));
        if self.positionals.is_empty() && !self.is_escaped {
            let commands = self.command.get_subcommands();
            let shown = commands.filter(|command| !command.is_hide_set());
            offer.words.extend(shown.map(|command| {
                let about = command.get_about().map(ToString::to_string);
                Candidate::new(command.get_name(), about.unwrap_or_default())
            }));
        }
        offer
    }

    /// The word that comes next, if it belongs to no option.
    fn positional(&self) -> Option<&'a Arg> {
        let place = self.positionals.len() + 1;
        let mut all = self.command.get_positionals();
        all.find(|word| match word.get_index() {
            Some(index) if matches!(word.get_action(), ArgAction::Append) => index <= place,
            index => index == Some(place),
        })
    }

    /// The values of an option, each as a whole word.
    fn values_after_equals(&self, name: &str, live: &Live<'_>) -> Offer {
        let takes = |option: &&Arg| option.get_action().takes_values();
        let Some(option) = long(self.command, name).filter(takes) else {
            return Offer::default();
        };
        let mut offer = values(option, live);
        for candidate in &mut offer.words {
            candidate.word.insert_str(0, &format!("--{name}="));
        }
        offer
    }

    /// The options of the command that can still be given.
    fn options(&self) -> Offer {
        let can_follow = |option: &&Arg| {
            let is_repeated = matches!(option.get_action(), ArgAction::Append);
            let is_given = self.given.contains(&option.get_id().as_str());
            !option.is_hide_set() && (is_repeated || !is_given)
        };
        let all = self.command.get_arguments().filter(can_follow);
        let words = all.filter_map(|option| {
            let about = option.get_help().map(ToString::to_string);
            let word = format!("--{}", option.get_long()?);
            Some(Candidate::new(word, about.unwrap_or_default()))
        });
        Offer {
            words: words.collect(),
            paths: None,
        }
    }
}

/// The option of a command with this long name.
fn long<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|option| {
        let others = option.get_all_aliases().unwrap_or_default();
        option.get_long() == Some(name) || others.contains(&name)
    })
}

/// Whether the word after an option is its value.
fn takes_a_word(option: &Arg) -> bool {
    option.get_action().takes_values() && !option.is_require_equals_set()
}

/// The values that an option or a word can have.
fn values(of: &Arg, live: &Live<'_>) -> Offer {
    let possible = of.get_possible_values();
    if possible.is_empty() {
        return live.values(of.get_id().as_str());
    }
    let shown = possible.iter().filter(|value| !value.is_hide_set());
    let words = shown.map(|value| {
        let about = value.get_help().map(ToString::to_string);
        Candidate::new(value.get_name(), about.unwrap_or_default())
    });
    Offer {
        words: words.collect(),
        paths: None,
    }
}
