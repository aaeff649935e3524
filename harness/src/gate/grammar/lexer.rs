//! Cuts a check into names, numbers, comparisons, `*` and `+`.

use std::ops::Range;

use super::GrammarError;

/// What a piece of a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A metric: letters, digits, `.`, `-`, and one pair of brackets.
    Name,
    /// Digits, `.` and `_`.
    Number,
    /// `=`, `<`, `>` and `!` in any number.
    Operator,
    /// `*`
    Times,
    /// `+`
    Plus,
    /// Nothing is left.
    End,
}

/// A piece of a check and its place.
#[derive(Debug, Clone)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind,
    pub(super) text: &'a str,
    pub(super) at: Range<usize>,
}

/// Walks over a check from left to right.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next piece, which is used up.
    pub(super) fn take(&mut self) -> Result<Token<'a>, GrammarError> {
        let token = self.peek()?;
        self.at = token.at.end;
        Ok(token)
    }

    /// Whether a `*` comes next; it stays.
    pub(super) fn before_times(&self) -> bool {
        self.text[self.skip_blanks()..].starts_with('*')
    }

    fn peek(&self) -> Result<Token<'a>, GrammarError> {
        let start = self.skip_blanks();
        let rest = &self.text[start..];
        let Some(first) = rest.chars().next() else {
            return Ok(self.token(TokenKind::End, start, 0));
        };
        let token = match first {
            '*' => self.token(TokenKind::Times, start, 1),
            '+' => self.token(TokenKind::Plus, start, 1),
            '=' | '<' | '>' | '!' => {
                self.token(TokenKind::Operator, start, length(rest, |c| "=<>!".contains(c)))
            }
            '0'..='9' => {
                let number = |c: char| c.is_ascii_digit() || c == '.' || c == '_';
                self.token(TokenKind::Number, start, length(rest, number))
            }
            c if c.is_alphabetic() => self.token(TokenKind::Name, start, name_length(rest)),
            c => {
                return Err(GrammarError {
                    at: start..start + c.len_utf8(),
                    message: format!("`{c}` has no meaning in a check"),
                    help: super::FORM.to_owned(),
                });
            }
        };
        Ok(token)
    }

    /// What stands before the next blank, `+` or `*`: a unit; empty where none does.
    pub(super) fn unit(&mut self) -> Token<'a> {
        let start = self.skip_blanks();
        let unit = |c: char| !c.is_whitespace() && c != '+' && c != '*';
        let token = self.token(TokenKind::Name, start, length(&self.text[start..], unit));
        self.at = token.at.end;
        token
    }

    fn skip_blanks(&self) -> usize {
        self.at + length(&self.text[self.at..], char::is_whitespace)
    }

    fn token(&self, kind: TokenKind, start: usize, length: usize) -> Token<'a> {
        let at = start..start + length;
        Token { kind, text: &self.text[at.clone()], at }
    }
}

/// Bytes at the start of `text` whose characters all belong.
fn length(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

fn name_length(text: &str) -> usize {
    let name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '%');
    let head = length(text, name);
    let gap = length(&text[head..], char::is_whitespace);
    if !text[head + gap..].starts_with('(') {
        return head;
    }
    match text[head..].find(')') {
        Some(close) => head + close + 1,
        None => text.len(),
    }
}
