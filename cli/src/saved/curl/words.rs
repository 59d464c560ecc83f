//! The words of a POSIX shell command, with `$'…'` of Bash, which browsers write.
//!
//! A crate that splits words would take `$HOME`, `$(…)` and `|` for text; here they are refused, as only a shell knows
//! what they become.

/// Splits one command into its words. The error names the line.
pub(super) fn split(command: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut shell = Shell { command, at: 0 };
    let mut words = Vec::new();
    shell.skip_empty_lines();
    while let Some(word) = shell.word().map_err(|fault| shell.fault(fault))? {
        words.push(word);
    }
    shell.skip_empty_lines();
    match shell.peek() {
        None => Ok(words),
        Some(_) => Err(shell.fault("another command follows")),
    }
}

/// A place in the command.
struct Shell<'a> {
    command: &'a [u8],
    at: usize,
}

impl Shell<'_> {
    fn fault(&self, what: &str) -> String {
        let before = &self.command[..self.at.min(self.command.len())];
        format!("line {}: {what}", 1 + before.iter().filter(|byte| **byte == b'\n').count())
    }

    fn peek(&self) -> Option<u8> {
        self.command.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn rest(&self) -> &[u8] {
        self.command.get(self.at..).unwrap_or_default()
    }

    /// The length of a backslash with the line end that it joins over.
    fn joined_line(&self) -> Option<usize> {
        [b"\\\n".as_slice(), b"\\\r\n"].iter().find(|joint| self.rest().starts_with(joint)).map(|joint| joint.len())
    }

    /// The next word before the end of the command.
    fn word(&mut self) -> Result<Option<Vec<u8>>, &'static str> {
        self.skip_blanks();
        let mut word = None;
        loop {
            if let Some(length) = self.joined_line() {
                self.at += length;
                if word.is_none() {
                    self.skip_blanks();
                }
                continue;
            }
            match self.peek() {
                None | Some(b' ' | b'\t' | b'\r' | b'\n') => return Ok(word),
                Some(b'#') if word.is_none() => self.skip_comment(),
                Some(b'^') if word.is_none() => {
                    return Err("this is a command for cmd of Windows; copy it for Bash");
                }
                Some(_) => self.part(word.get_or_insert_default())?,
            }
        }
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    fn skip_comment(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
    }

    fn skip_empty_lines(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                Some(b'#') => self.skip_comment(),
                _ => return,
            }
        }
    }

    /// A quotation, an escape or a character.
    fn part(&mut self, word: &mut Vec<u8>) -> Result<(), &'static str> {
        self.refuse_expansion()?;
        match self.next() {
            Some(b'\'') => self.single(word),
            Some(b'"') => self.double(word),
            // Bash would translate it, and has no translation.
            Some(b'$') if self.peek() == Some(b'"') => {
                self.at += 1;
                self.double(word)
            }
            Some(b'$') if self.peek() == Some(b'\'') => {
                self.at += 1;
                self.ansi_c(word)
            }
            Some(b'\\') => {
                word.push(self.next().ok_or("a backslash stands at the end")?);
                Ok(())
            }
            Some(b'|' | b'&' | b';' | b'<' | b'>' | b'(' | b')') => {
                Err("a | & ; < > ( or ) without quotes belongs to the shell; save the curl command alone")
            }
            Some(byte) => {
                word.push(byte);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Refuses what a shell replaces, inside double quotes too.
    fn refuse_expansion(&self) -> Result<(), &'static str> {
        match self.rest() {
            [b'`', ..] => Err("a command in `…` cannot be run here; write what it prints"),
            [b'$', b'(', ..] => Err("a command in $(…) cannot be run here; write what it prints"),
            [b'$', next, ..] if next.is_ascii_alphanumeric() || b"_{@*#?$!-".contains(next) => {
                Err("a variable cannot be filled in here; write its value")
            }
            [b'$', b'\\', b'\n' | b'\r', ..] => Err("a $ must not stand before a joined line"),
            _ => Ok(()),
        }
    }

    fn single(&mut self, word: &mut Vec<u8>) -> Result<(), &'static str> {
        let length = self.rest().iter().position(|byte| *byte == b'\'').ok_or("a ' is never closed")?;
        word.extend_from_slice(&self.rest()[..length]);
        self.at += length + 1;
        Ok(())
    }

    fn double(&mut self, word: &mut Vec<u8>) -> Result<(), &'static str> {
        loop {
            if let Some(length) = self.joined_line() {
                self.at += length;
                continue;
            }
            self.refuse_expansion()?;
            match self.next().ok_or("a \" is never closed")? {
                b'"' => return Ok(()),
                b'\\' if self.peek().is_some_and(|byte| b"$`\"\\".contains(&byte)) => word.extend(self.next()),
                byte => word.push(byte),
            }
        }
    }

    /// `$'…'`, with the escapes of the Bash manual, section 3.1.2.4.
    fn ansi_c(&mut self, word: &mut Vec<u8>) -> Result<(), &'static str> {
        const OPEN: &str = "a $' is never closed";
        loop {
            match self.next().ok_or(OPEN)? {
                b'\'' => return Ok(()),
                b'\\' => self.escape(word, OPEN)?,
                byte => word.push(byte),
            }
        }
    }

    fn escape(&mut self, word: &mut Vec<u8>, open: &'static str) -> Result<(), &'static str> {
        let byte = match self.next().ok_or(open)? {
            b'a' => 0x07,
            b'b' => 0x08,
            b'e' | b'E' => 0x1b,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 0x0b,
            plain @ (b'\\' | b'\'' | b'"' | b'?') => plain,
            b'x' => self.number(16, 2)? as u8,
            b'0'..=b'7' => {
                self.at -= 1;
                // Bash, too, keeps the low eight bits of \400 to \777.
                self.number(8, 3)? as u8
            }
            form @ (b'u' | b'U') => return self.character(if form == b'u' { 4 } else { 8 }, word),
            _ => return Err("an escape in $'…' is not known here"),
        };
        match byte {
            0 => Err("a word of a command cannot hold a NUL"),
            _ => {
                word.push(byte);
                Ok(())
            }
        }
    }

    fn character(&mut self, most: usize, word: &mut Vec<u8>) -> Result<(), &'static str> {
        let character = char::from_u32(self.number(16, most)?).filter(|character| *character != '\0');
        let character = character.ok_or("an escape in $'…' names no character")?;
        word.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    /// Up to `most` digits.
    fn number(&mut self, radix: u32, most: usize) -> Result<u32, &'static str> {
        let is_digit = |byte: &&u8| char::from(**byte).is_digit(radix);
        let digits: String = self.rest().iter().take(most).take_while(is_digit).map(|byte| char::from(*byte)).collect();
        self.at += digits.len();
        u32::from_str_radix(&digits, radix).map_err(|_| "an escape in $'…' has no digits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &str) -> Vec<String> {
        let words = split(command.as_bytes()).unwrap_or_else(|fault| panic!("{command}: {fault}"));
        words.into_iter().map(|word| String::from_utf8(word).unwrap()).collect()
    }

    #[test]
    fn words_are_split_as_bash_splits_them() {
        for (command, expected) in [
            ("", &[][..]),
            ("\n# before\n  a\tb  \n\n# done\n", &["a", "b"]),
            (r#"a 'b c' "d e"f$"g""#, &["a", "b c", "d efg"]),
            (r#"'' "" a''"#, &["", "", "a"]),
            (r#"'\n$x`"' "a'b""#, &["\\n$x`\"", "a'b"]),
            (r#""\$\`\"\\\n\!" "cost: $""#, &["$`\"\\\\n\\!", "cost: $"]),
            ("a \\\n  b\\\nc \\\r\n d", &["a", "bc", "d"]),
            ("\"a\\\nb\" 'a\\\nb'", &["ab", "a\\\nb"]),
            (r"a\ b \'c \\", &["a b", "'c", "\\"]),
            (r"$'a\n\r\t\\\'\x41\u00e9\U0001F600\101z' 1$ $ $'it'", &["a\n\r\t\\'Aé😀Az", "1$", "$", "it"]),
            (r"$'\u0021\x2F\x2Fx' a#b x^y {a,b} ~ ?*", &["!//x", "a#b", "x^y", "{a,b}", "~", "?*"]),
            ("a # b 'c\n", &["a"]),
        ] {
            assert_eq!(words(command), expected, "{command}");
        }
        assert_eq!(split(b"$'\\xff\\376' '\xff'").unwrap(), [vec![0xff, 0xfe], vec![0xff]]);
    }

    #[test]
    fn what_only_a_shell_can_do_is_refused_with_its_line() {
        for (command, named) in [
            ("a \\\n $HOME", "line 2: a variable"),
            ("a \"${B}\"", "line 1: a variable"),
            ("a \"$(b)\"", "line 1: a command in $(…)"),
            ("a `b`", "line 1: a command in `…`"),
            ("a | b", "belongs to the shell"),
            ("a http://x/?y&z", "belongs to the shell"),
            ("a > b", "belongs to the shell"),
            ("a\nb", "line 2: another command"),
            ("a\n\n  b", "line 3: another command"),
            ("a\\", "a backslash stands at the end"),
            ("a ^\"b", "cmd of Windows"),
            ("a 'b\nc", "a ' is never closed"),
            ("a \"b\nc", "line 2: a \" is never closed"),
            ("a $'b", "a $' is never closed"),
            ("a $'b\\", "a $' is never closed"),
            ("a $'\\x'", "no digits"),
            ("a $'\\q'", "not known"),
            ("a $'\\0'", "NUL"),
            ("a $'\\ud800'", "names no character"),
        ] {
            let fault = split(command.as_bytes()).unwrap_err();
            assert!(fault.starts_with("line ") && fault.contains(named), "{command}: {fault}");
        }
    }
}
