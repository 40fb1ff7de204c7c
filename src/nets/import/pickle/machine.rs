//! The pickle stack machine.

use std::collections::HashMap;

use super::PickleError;
use super::cursor::Cursor;
use super::tree::{Global, Id, Node, Object, Tree};

/// Runs the pickle at the start of `bytes`.
pub fn run(bytes: &[u8]) -> Result<(Tree, usize), PickleError> {
    let mut machine = Machine {
        tree: Tree::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        input: Cursor::new(bytes),
        offset: 0,
    };
    loop {
        machine.offset = machine.input.at;
        let code = machine.input.byte()?;
        if code == b'.' {
            machine.tree.root = machine.pop()?;
            return Ok((machine.tree, machine.input.at));
        }
        machine.step(code)?;
    }
}

struct Machine<'a> {
    tree: Tree,
    stack: Vec<Id>,
    /// Heights of the stack that were marked.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
    input: Cursor<'a>,
    /// Offset of the current instruction.
    offset: usize,
}

impl Machine<'_> {
    fn step(&mut self, code: u8) -> Result<(), PickleError> {
        match code {
            b'(' => self.marks.push(self.stack.len()),
            b'0' => self.drop_one()?,
            b'1' => drop(self.marked()?),
            b'2' => self.stack.push(self.top()?),
            0x80 => drop(self.input.byte()?),
            0x95 => drop(self.input.take(8)?),
            b'p' | b'q' | b'r' | 0x94 => self.put(code)?,
            b'g' | b'h' | b'j' => self.recall(code)?,
            b'R' | 0x81 | 0x92 | b'o' | b'i' | b'b' => self.call(code)?,
            b'c' | 0x93 => self.name(code)?,
            b'P' | b'Q' => self.outside(code)?,
            b'a' | b'e' | 0x90 | b's' | b'u' => self.fill(code)?,
            b']' | b'l' | b')' | b't' | 0x85..=0x87 | b'}' | b'd' | 0x8f | 0x91 => {
                self.collect(code)?;
            }
            _ => {
                let node = self.plain(code)?;
                self.push(node)?;
            }
        }
        Ok(())
    }

    fn misfit<T>(&self) -> Result<T, PickleError> {
        Err(PickleError::Misfit(self.offset))
    }

    fn push(&mut self, node: Node) -> Result<(), PickleError> {
        let id = match node {
            Node::None => Tree::NONE,
            node => self.tree.add(node)?,
        };
        self.stack.push(id);
        Ok(())
    }

    /// The height of the last mark; nothing below it may be popped.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Result<Id, PickleError> {
        match self.stack.last() {
            Some(top) if self.stack.len() > self.floor() => Ok(*top),
            _ => self.misfit(),
        }
    }

    fn pop(&mut self) -> Result<Id, PickleError> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// Pops a value, or the mark if there is none above it.
    fn drop_one(&mut self) -> Result<(), PickleError> {
        if self.stack.len() == self.floor() && self.marks.pop().is_some() {
            return Ok(());
        }
        self.pop().map(drop)
    }

    /// Pops the values above the last mark.
    fn marked(&mut self) -> Result<Vec<Id>, PickleError> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.split_off(mark)),
            None => self.misfit(),
        }
    }

    fn marked_pairs(&mut self) -> Result<Vec<(Id, Id)>, PickleError> {
        let items = self.marked()?;
        if items.len() % 2 != 0 {
            return self.misfit();
        }
        Ok(items
            .chunks_exact(2)
            .map(|pair| (pair[0], pair[1]))
            .collect())
    }

    fn put(&mut self, code: u8) -> Result<(), PickleError> {
        let key = match code {
            0x94 => self.memo.len() as u32,
            _ => self.memo_key(code == b'p', if code == b'q' { 1 } else { 4 })?,
        };
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, code: u8) -> Result<(), PickleError> {
        let key = self.memo_key(code == b'g', if code == b'h' { 1 } else { 4 })?;
        match self.memo.get(&key) {
            Some(id) => self.stack.push(*id),
            None => return self.misfit(),
        }
        Ok(())
    }

    fn memo_key(&mut self, as_text: bool, width: usize) -> Result<u32, PickleError> {
        if !as_text {
            return Ok(self.input.whole(width)? as u32);
        }
        let line = text(self.input.line()?);
        let number = line.trim().parse();
        number.map_err(|_| PickleError::Misfit(self.offset))
    }

    /// Records a call without making it.
    fn call(&mut self, code: u8) -> Result<(), PickleError> {
        if code == b'b' {
            let state = self.pop()?;
            let top = self.top()?;
            // Other nodes keep no attributes.
            if let Node::Object(object) = self.tree.node_mut(top) {
                object.state = Some(state);
            }
            return Ok(());
        }
        let (callee, arguments) = match code {
            b'i' => {
                let global = self.lines()?;
                let arguments = self.marked()?;
                let callee = self.tree.add(Node::Global(Box::new(global)))?;
                (callee, self.tree.add(Node::Tuple(arguments))?)
            }
            b'o' => {
                let mut items = self.marked()?;
                if items.is_empty() {
                    return self.misfit();
                }
                let callee = items.remove(0);
                (callee, self.tree.add(Node::Tuple(items))?)
            }
            _ => {
                if code == 0x92 {
                    self.pop()?; // keyword arguments
                }
                let arguments = self.pop()?;
                (self.pop()?, arguments)
            }
        };
        self.push(Node::Object(Box::new(Object {
            callee,
            arguments,
            state: None,
            items: Vec::new(),
            pairs: Vec::new(),
        })))
    }

    /// Pushes the name of a class or function.
    fn name(&mut self, code: u8) -> Result<(), PickleError> {
        let global = if code == b'c' {
            self.lines()?
        } else {
            let (name, module) = (self.pop()?, self.pop()?);
            match (self.tree.text(module), self.tree.text(name)) {
                (Some(module), Some(name)) => Global {
                    module: module.to_owned(),
                    name: name.to_owned(),
                },
                _ => return self.misfit(),
            }
        };
        self.push(Node::Global(Box::new(global)))
    }

    fn lines(&mut self) -> Result<Global, PickleError> {
        Ok(Global {
            module: text(self.input.line()?),
            name: text(self.input.line()?),
        })
    }

    fn outside(&mut self, code: u8) -> Result<(), PickleError> {
        let key = match code {
            b'P' => {
                let line = text(self.input.line()?);
                self.tree.add(Node::Text(line.into()))?
            }
            _ => self.pop()?,
        };
        self.push(Node::Persistent(key))
    }

    /// Adds values to a list, a set, a dictionary or an object.
    fn fill(&mut self, code: u8) -> Result<(), PickleError> {
        if matches!(code, b's' | b'u') {
            let new = match code {
                b'u' => self.marked_pairs()?,
                _ => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    vec![(key, value)]
                }
            };
            let top = self.top()?;
            match self.tree.node_mut(top) {
                Node::Dict(pairs) => pairs.extend(new),
                Node::Object(object) => object.pairs.extend(new),
                _ => return self.misfit(),
            }
            return Ok(());
        }
        let new = match code {
            b'a' => vec![self.pop()?],
            _ => self.marked()?,
        };
        let top = self.top()?;
        match self.tree.node_mut(top) {
            Node::List(items) | Node::Set(items) => items.extend(new),
            Node::Object(object) => object.items.extend(new),
            _ => return self.misfit(),
        }
        Ok(())
    }

    /// Pushes a new list, tuple, set or dictionary.
    fn collect(&mut self, code: u8) -> Result<(), PickleError> {
        let node = match code {
            b']' => Node::List(Vec::new()),
            b')' => Node::Tuple(Vec::new()),
            b'}' => Node::Dict(Vec::new()),
            0x8f => Node::Set(Vec::new()),
            b'l' => Node::List(self.marked()?),
            b't' => Node::Tuple(self.marked()?),
            b'd' => Node::Dict(self.marked_pairs()?),
            0x91 => Node::Set(self.marked()?),
            _ => {
                let count = usize::from(code - 0x84);
                let mut items = Vec::with_capacity(count);
                for _ in 0..count {
                    items.push(self.pop()?);
                }
                items.reverse();
                Node::Tuple(items)
            }
        };
        self.push(node)
    }

    /// A literal value.
    fn plain(&mut self, code: u8) -> Result<Node, PickleError> {
        let input = &mut self.input;
        let text_node = |bytes: &[u8]| Node::Text(text(bytes).into());
        Ok(match code {
            b'N' => Node::None,
            0x88 => Node::Bool(true),
            0x89 => Node::Bool(false),
            b'K' => Node::Int(input.whole(1)? as i64),
            b'M' => Node::Int(input.whole(2)? as i64),
            b'J' => Node::Int(i64::from(input.whole(4)? as u32 as i32)),
            0x8a => Node::Int(long(input.counted(1)?)),
            0x8b => Node::Int(long(input.counted(4)?)),
            b'I' | b'L' => self.number_as_text()?,
            b'G' => Node::Float(f64::from_bits(input.whole(8)?.swap_bytes())),
            b'F' => match text(input.line()?).trim().parse() {
                Ok(number) => Node::Float(number),
                Err(_) => return self.misfit(),
            },
            b'S' => text_node(quoted(input.line()?)),
            b'T' => text_node(input.counted(4)?),
            b'U' | 0x8c => text_node(input.counted(1)?),
            b'V' => text_node(input.line()?),
            b'X' => text_node(input.counted(4)?),
            0x8d => text_node(input.counted(8)?),
            b'B' => Node::Bytes(input.counted(4)?.into()),
            b'C' => Node::Bytes(input.counted(1)?.into()),
            0x8e | 0x96 => Node::Bytes(input.counted(8)?.into()),
            // Includes references outside the pickle: registered extensions and buffers.
            code => {
                let at = self.offset;
                return Err(PickleError::Unknown { code, at });
            }
        })
    }

    fn number_as_text(&mut self) -> Result<Node, PickleError> {
        let line = text(self.input.line()?);
        let number = line.trim().trim_end_matches('L');
        match (number, number.parse::<i128>()) {
            ("00", _) => Ok(Node::Bool(false)),
            ("01", _) => Ok(Node::Bool(true)),
            (_, Ok(number)) => {
                let nearest = number.clamp(i64::MIN.into(), i64::MAX.into());
                Ok(Node::Int(nearest as i64))
            }
            _ => self.misfit(),
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn quoted(line: &[u8]) -> &[u8] {
    match line {
        [first @ (b'\'' | b'"'), inner @ .., last] if first == last => inner,
        line => line,
    }
}

/// A little-endian two's-complement integer, saturated to 64 bits.
fn long(bytes: &[u8]) -> i64 {
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let fill = if negative { 0xff } else { 0 };
    if bytes.iter().skip(8).any(|byte| *byte != fill) {
        return if negative { i64::MIN } else { i64::MAX };
    }
    let mut wide = [fill; 8];
    let length = bytes.len().min(8);
    wide[..length].copy_from_slice(&bytes[..length]);
    let number = i64::from_le_bytes(wide);
    match (number < 0) == negative {
        true => number,
        false if negative => i64::MIN,
        false => i64::MAX,
    }
}
