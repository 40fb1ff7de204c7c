//! The program in a real pseudo-terminal, and the screen that its output draws.

use std::io::{Read, Write};
use std::os::fd::{BorrowedFd, RawFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

pub struct Pty {
    master: Option<Box<dyn MasterPty + Send>>,
    keyboard: Option<Box<dyn Write + Send>>,
    pub child: Box<dyn Child + Send + Sync>,
    screen: Arc<Mutex<Screen>>,
    open: Arc<AtomicBool>,
}

/// Feeds the program's output to the screen, until the program ends or the terminal is closed.
fn read_along(
    mut reader: Box<dyn Read + Send>,
    fd: RawFd,
    screen: Arc<Mutex<Screen>>,
    open: Arc<AtomicBool>,
) {
    std::thread::spawn(move || {
        let mut buffer = [0; 65536];
        while open.load(Ordering::SeqCst) {
            // The descriptor lives as long as the terminal is open.
            let master = unsafe { BorrowedFd::borrow_raw(fd) };
            let mut fds = [PollFd::new(&master, PollFlags::IN)];
            let patience = Timespec {
                tv_sec: 0,
                tv_nsec: 10_000_000,
            };
            if poll(&mut fds, Some(&patience)).unwrap_or(0) == 0 {
                continue;
            }
            let Ok(count @ 1..) = reader.read(&mut buffer) else {
                return;
            };
            let mut screen = screen.lock().unwrap();
            screen.parser.process(&buffer[..count]);
            screen.bytes.extend_from_slice(&buffer[..count]);
        }
    });
}

struct Screen {
    parser: vt100::Parser,
    bytes: Vec<u8>,
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

fn cells(count: u16) -> std::num::NonZero<u16> {
    std::num::NonZero::new(count).expect("a terminal has rows and columns")
}

impl Pty {
    /// Starts the program on a terminal of this size.
    pub fn start(folder: &Path, arguments: &[&str], columns: u16, rows: u16) -> Self {
        let mut command = vec![env!("CARGO_BIN_EXE_noisescope")];
        command.extend(arguments);
        Self::start_program(folder, &command, columns, rows)
    }

    /// Starts any program on a terminal of this size.
    pub fn start_program(folder: &Path, command: &[&str], columns: u16, rows: u16) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let mut builder = CommandBuilder::new(command[0]);
        builder.args(&command[1..]);
        builder.cwd(folder);
        builder.env("NOISESCOPE_SESSIONS", folder.join("sessions"));
        builder.env("NOISESCOPE_DATA", folder.join("data"));
        builder.env("XDG_RUNTIME_DIR", folder);
        builder.env("TERM", "xterm-256color");
        builder.env("COLORTERM", "truecolor");
        builder.env("LANG", "C.UTF-8");
        builder.env_remove("NO_COLOR");
        let child = pair.slave.spawn_command(builder).unwrap();
        drop(pair.slave);
        let screen = Arc::new(Mutex::new(Screen {
            parser: vt100::Parser::new(cells(rows), cells(columns), 0),
            bytes: Vec::new(),
        }));
        let reader = pair.master.try_clone_reader().unwrap();
        let fd = pair
            .master
            .as_raw_fd()
            .expect("a pseudo-terminal has a descriptor");
        let open = Arc::new(AtomicBool::new(true));
        read_along(reader, fd, Arc::clone(&screen), Arc::clone(&open));
        let keyboard = pair.master.take_writer().unwrap();
        Self {
            master: Some(pair.master),
            keyboard: Some(keyboard),
            child,
            screen,
            open,
        }
    }

    /// Types these keys.
    pub fn press(&mut self, keys: &str) {
        let keyboard = self.keyboard.as_mut().expect("the terminal is open");
        keyboard.write_all(keys.as_bytes()).unwrap();
        keyboard.flush().unwrap();
    }

    /// The text on the screen.
    pub fn text(&self) -> String {
        self.screen.lock().unwrap().parser.screen().contents()
    }

    /// Everything written to the terminal so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.screen.lock().unwrap().bytes.clone()
    }

    pub fn on_alternate_screen(&self) -> bool {
        self.screen
            .lock()
            .unwrap()
            .parser
            .screen()
            .alternate_screen()
    }

    pub fn cursor_hidden(&self) -> bool {
        self.screen.lock().unwrap().parser.screen().hide_cursor()
    }

    /// Waits until the terminal is restored: main screen, visible cursor.
    pub fn wait_restored(&mut self) {
        let began = Instant::now();
        while self.on_alternate_screen() || self.cursor_hidden() {
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "the terminal was not restored; the screen:\n{}",
                self.text()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.screen
            .lock()
            .unwrap()
            .parser
            .screen_mut()
            .set_size(cells(rows), cells(columns));
        let master = self.master.as_ref().expect("the terminal is open");
        master.resize(size(columns, rows)).unwrap();
    }

    /// Closes the terminal while the program runs, as a dropped connection does.
    pub fn close(&mut self) {
        self.open.store(false, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(100));
        self.keyboard = None;
        self.master = None;
    }

    /// Waits until the screen shows `text`; panics with the screen after a minute.
    pub fn wait_for(&mut self, text: &str) {
        self.wait(text, |screen| screen.contains(text));
    }

    /// Waits until `done` is true for the screen's text.
    pub fn wait(&mut self, what: &str, done: impl Fn(&str) -> bool) {
        let began = Instant::now();
        loop {
            let text = self.text();
            if done(&text) {
                return;
            }
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "waited a minute for {what:?}; the screen:\n{text}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for the program to end; returns its exit code.
    pub fn exit_code(&mut self) -> u32 {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // Its last output is still on its way through the terminal.
                std::thread::sleep(Duration::from_millis(100));
                return status.exit_code();
            }
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "waited a minute for the end; the screen:\n{}",
                self.text()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
