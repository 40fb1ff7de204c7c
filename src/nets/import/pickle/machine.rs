//! The pickle stack machine.

use std::collections::HashMap;

use super::PickleError;
use super::cursor::Cursor;
use super::tree::{Global, PickleId, PickleNode, PickleObject, PickleTree};

/// Runs the pickle at the start of `bytes`.
pub fn run(bytes: &[u8]) -> Result<(PickleTree, usize), PickleError> {
    let mut machine = Machine {
        tree: PickleTree::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        input: Cursor::new(bytes),
        offset: 0,
    };
    loop {
        machine.offset = machine.input.position;
        let code = machine.input.byte()?;
        if code == b'.' {
            machine.tree.root = machine.pop()?;
            return Ok((machine.tree, machine.input.position));
        }
        machine.step(code)?;
    }
}

struct Machine<'a> {
    tree: PickleTree,
    stack: Vec<PickleId>,
    /// Heights of the stack that were marked.
    marks: Vec<usize>,
    memo: HashMap<u32, PickleId>,
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
        Err(PickleError::BadOperands(self.offset))
    }

    fn push(&mut self, node: PickleNode) -> Result<(), PickleError> {
        let id = match node {
            PickleNode::None => PickleTree::NONE,
            node => self.tree.add(node)?,
        };
        self.stack.push(id);
        Ok(())
    }

    /// The height of the last mark; nothing below it may be popped.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Result<PickleId, PickleError> {
        match self.stack.last() {
            Some(top) if self.stack.len() > self.floor() => Ok(*top),
            _ => self.misfit(),
        }
    }

    fn pop(&mut self) -> Result<PickleId, PickleError> {
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
    fn marked(&mut self) -> Result<Vec<PickleId>, PickleError> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.split_off(mark)),
            None => self.misfit(),
        }
    }

    fn marked_pairs(&mut self) -> Result<Vec<(PickleId, PickleId)>, PickleError> {
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
        number.map_err(|_| PickleError::BadOperands(self.offset))
    }

    /// Records a call without making it.
    fn call(&mut self, code: u8) -> Result<(), PickleError> {
        if code == b'b' {
            let state = self.pop()?;
            let top = self.top()?;
            // Other nodes keep no attributes.
            if let PickleNode::Object(object) = self.tree.node_mut(top) {
                object.state = Some(state);
            }
            return Ok(());
        }
        let (callee, arguments) = match code {
            b'i' => {
                let global = self.lines()?;
                let arguments = self.marked()?;
                let callee = self.tree.add(PickleNode::Global(Box::new(global)))?;
                (callee, self.tree.add(PickleNode::Tuple(arguments))?)
            }
            b'o' => {
                let mut items = self.marked()?;
                if items.is_empty() {
                    return self.misfit();
                }
                let callee = items.remove(0);
                (callee, self.tree.add(PickleNode::Tuple(items))?)
            }
            _ => {
                if code == 0x92 {
                    self.pop()?; // keyword arguments
                }
                let arguments = self.pop()?;
                (self.pop()?, arguments)
            }
        };
        self.push(PickleNode::Object(Box::new(PickleObject {
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
        self.push(PickleNode::Global(Box::new(global)))
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
                self.tree.add(PickleNode::Text(line.into()))?
            }
            _ => self.pop()?,
        };
        self.push(PickleNode::Persistent(key))
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
                PickleNode::Dict(pairs) => pairs.extend(new),
                PickleNode::Object(object) => object.pairs.extend(new),
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
            PickleNode::List(items) | PickleNode::Set(items) => items.extend(new),
            PickleNode::Object(object) => object.items.extend(new),
            _ => return self.misfit(),
        }
        Ok(())
    }

    /// Pushes a new list, tuple, set or dictionary.
    fn collect(&mut self, code: u8) -> Result<(), PickleError> {
        let node = match code {
            b']' => PickleNode::List(Vec::new()),
            b')' => PickleNode::Tuple(Vec::new()),
            b'}' => PickleNode::Dict(Vec::new()),
            0x8f => PickleNode::Set(Vec::new()),
            b'l' => PickleNode::List(self.marked()?),
            b't' => PickleNode::Tuple(self.marked()?),
            b'd' => PickleNode::Dict(self.marked_pairs()?),
            0x91 => PickleNode::Set(self.marked()?),
            _ => {
                let count = usize::from(code - 0x84);
                let mut items = Vec::with_capacity(count);
                for _ in 0..count {
                    items.push(self.pop()?);
                }
                items.reverse();
                PickleNode::Tuple(items)
            }
        };
        self.push(node)
    }

    /// A literal value.
    fn plain(&mut self, code: u8) -> Result<PickleNode, PickleError> {
        let input = &mut self.input;
        let text_node = |bytes: &[u8]| PickleNode::Text(text(bytes).into());
        Ok(match code {
            b'N' => PickleNode::None,
            0x88 => PickleNode::Bool(true),
            0x89 => PickleNode::Bool(false),
            b'K' => PickleNode::Int(input.whole(1)? as i64),
            b'M' => PickleNode::Int(input.whole(2)? as i64),
            b'J' => PickleNode::Int(i64::from(input.whole(4)? as u32 as i32)),
            0x8a => PickleNode::Int(long(input.counted(1)?)),
            0x8b => PickleNode::Int(long(input.counted(4)?)),
            b'I' | b'L' => self.number_as_text()?,
            b'G' => PickleNode::Float(f64::from_bits(input.whole(8)?.swap_bytes())),
            b'F' => match text(input.line()?).trim().parse() {
                Ok(number) => PickleNode::Float(number),
                Err(_) => return self.misfit(),
            },
            b'S' => text_node(quoted(input.line()?)),
            b'T' => text_node(input.counted(4)?),
            b'U' | 0x8c => text_node(input.counted(1)?),
            b'V' => text_node(input.line()?),
            b'X' => text_node(input.counted(4)?),
            0x8d => text_node(input.counted(8)?),
            b'B' => PickleNode::Bytes(input.counted(4)?.into()),
            b'C' => PickleNode::Bytes(input.counted(1)?.into()),
            0x8e | 0x96 => PickleNode::Bytes(input.counted(8)?.into()),
            // Includes references outside the pickle: registered extensions and buffers.
            code => {
                let at = self.offset;
                return Err(PickleError::Unknown { code, at });
            }
        })
    }

    fn number_as_text(&mut self) -> Result<PickleNode, PickleError> {
        let line = text(self.input.line()?);
        let number = line.trim().trim_end_matches('L');
        match (number, number.parse::<i128>()) {
            ("00", _) => Ok(PickleNode::Bool(false)),
            ("01", _) => Ok(PickleNode::Bool(true)),
            (_, Ok(number)) => {
                let nearest = number.clamp(i64::MIN.into(), i64::MAX.into());
                Ok(PickleNode::Int(nearest as i64))
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
