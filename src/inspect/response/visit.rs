//! What the tokenizer tells of a reply: where each value stands, and what that makes of it.

use bytes::Bytes;

use super::cut::Cut;
use super::editor::{Mode, Stage};
use super::place::{
    AMBIGUOUS, CAPTURED, CARRIED, CARRIED_TYPE, CONTENT, DEEP, DOUBTFUL, ELEMENT, ELEMENT_END,
    ELICITATION, ELICITATIONS, ERROR, ERROR_DATA, ID, INPUT, INPUTS, LIST, LIST_END, LISTS,
    MEMBERS, MESSAGE, METHOD, MODE, NAME, PARAMS, PLAIN, RESULT, RESULT_TYPE, ROOT, SCOPE, STATE,
    STATUS, TASK, TASK_ID, TASK_MEMBERS, TELLING, TRIE, URL, carriers_of, list_at, list_of,
    unless_alike,
};
use super::{ElementPart, Judge, ReplyError, SealedKind};
use crate::wire::json::{Kind, Node, Visit};

/// What replaces the value of `cacheScope`: what depends on the caller may not be shared (T55).
const PRIVATE: &[u8] = b"\"private\"";

impl<J: Judge> Visit for Cut<'_, '_, J> {
    type Stop = ReplyError;

    fn root(&mut self) -> Node {
        Node::new(ROOT)
    }

    fn key(&mut self, object: Node, name: &str) -> Result<Node, ReplyError> {
        if self.editor.stage == Stage::Refused {
            // Nothing of it passes any more. Under which id is all that is left to learn.
            let is_id = matches!(object.number(), ROOT | MESSAGE) && name == "id";
            return Ok(if is_id { Node::new(ID) } else { Node::IGNORE });
        }
        Ok(match object.number() {
            ROOT | MESSAGE => self.message_key(name),
            RESULT => self.result_key(name),
            place @ ELEMENT..=ELEMENT_END => self.element_key(place, name),
            DEEP => {
                self.tell(ElementPart::Key(name));
                Node::new(DEEP).with_text()
            }
            INPUTS => Node::new(INPUT),
            INPUT => match name {
                "method" => Node::new(METHOD).with_text(),
                "params" => Node::new(PARAMS),
                _ => unless_alike(name, &["method", "params"]),
            },
            CARRIED => carried_key(name),
            TASK if name == "taskId" => Node::new(TASK_ID).with_text(),
            ERROR => match name {
                "data" => Node::new(ERROR_DATA),
                _ => unless_alike(name, &["data"]),
            },
            ERROR_DATA => match name {
                "elicitations" => Node::new(ELICITATIONS),
                _ => unless_alike(name, &["elicitations"]),
            },
            PARAMS | ELICITATION => {
                let editor = &mut *self.editor;
                let node = editor.asked.params_key(editor.judge.captures(), name);
                // It has been judged by what came before.
                let is_late = editor.stage == Stage::Settled && !editor.is_in_input;
                if is_late && editor.asked.is_doubtful() { Node::new(DOUBTFUL) } else { node }
            }
            place if place == CAPTURED || place >= TRIE => {
                let editor = &mut *self.editor;
                match editor.judge.captures() {
                    Some(plan) => editor.asked.key(plan, place, name),
                    None => Node::IGNORE,
                }
            }
            _ => Node::IGNORE,
        })
    }

    fn element(&mut self, array: Node, _index: u32) -> Result<Node, ReplyError> {
        Ok(match array.number() {
            ROOT => Node::new(MESSAGE),
            ELICITATIONS => Node::new(ELICITATION),
            CARRIED => Node::new(CARRIED),
            place @ LIST..=LIST_END => Node::new(place - LIST + ELEMENT),
            DEEP => Node::new(DEEP).with_text(),
            place if place == CAPTURED || place >= TRIE => self.editor.asked.inner(),
            _ => Node::IGNORE,
        })
    }

    fn comma(&mut self, array: Node, at: u64) -> Result<(), ReplyError> {
        match array.number() {
            ROOT if self.editor.options.watch.requests => {
                self.comma_of(self.editor.has_kept_message, at)
            }
            LIST..=LIST_END => self.comma_of(self.has_kept(), at),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, node: Node, kind: Kind, at: u64) -> Result<(), ReplyError> {
        self.check_hold(at)?;
        let place = node.number();
        match place {
            ROOT => self.begin_root(kind, at)?,
            MESSAGE if kind == Kind::Object => self.editor.begin_message(),
            MESSAGE => return Err(ReplyError::NotAMessage),
            RESULT if kind == Kind::Object => {
                // A legacy result asks for nothing; that it does anyway ends it where it does.
                self.begin_outcome(self.editor.options.is_modern);
            }
            RESULT if self.editor.options.watch.lists => return Err(ReplyError::ResultNotObject),
            // One that asks is replaced where that changes no length.
            ERROR if kind == Kind::Object => {
                self.begin_outcome(self.editor.options.is_modern || !self.editor.is_tail_held);
            }
            RESULT | ERROR | TELLING | TASK => self.settle(),
            STATE if kind == Kind::String => self.begin_handle(SealedKind::State, at),
            TASK_ID if kind == Kind::String => self.begin_handle(SealedKind::Task, at),
            SCOPE => {
                self.settle();
                self.pass_until(at);
                self.editor.mode = Mode::Drop;
            }
            NAME if kind == Kind::String => {
                self.editor.name.clear();
                self.tell(ElementPart::Begin(kind));
            }
            NAME if list_at(self.editor.list).is_none() => {}
            NAME => return Err(ReplyError::ElementWithoutName),
            CARRIED_TYPE => self.editor.name.clear(),
            PLAIN => self.is_plain(),
            DOUBTFUL => return Err(ReplyError::FoldedKey),
            AMBIGUOUS => return Err(ReplyError::RequestAndResponse),
            LIST..=LIST_END => {
                self.settle();
                self.editor.list = place;
                self.begin_list(kind, at)?;
            }
            ELEMENT..=ELEMENT_END if kind == Kind::Object => {
                self.begin_element();
                self.tell(ElementPart::Begin(kind));
            }
            ELEMENT..=ELEMENT_END if list_at(place).is_none() => self.begin_element(),
            ELEMENT..=ELEMENT_END => return Err(ReplyError::ElementNotObject),
            DEEP => self.tell(ElementPart::Begin(kind)),
            ID if matches!(kind, Kind::String | Kind::Number) => self.editor.id.begin(at),
            METHOD if kind != Kind::String => return Err(ReplyError::NotAMessage),
            METHOD | RESULT_TYPE | STATUS => self.editor.asked.scratch().clear(),
            PARAMS => {
                let editor = &mut *self.editor;
                editor.asked.begin_params(editor.judge.captures(), kind);
            }
            INPUTS if !matches!(kind, Kind::Object | Kind::Null) => {
                return Err(ReplyError::InputNotObject);
            }
            ELICITATIONS if !matches!(kind, Kind::Array | Kind::Null) => {
                return Err(ReplyError::InputNotObject);
            }
            ELICITATION if kind == Kind::Object => {
                let editor = &mut *self.editor;
                editor.is_in_input = true;
                editor.asked.reset_to_elicitation();
                editor.asked.begin_params(editor.judge.captures(), kind);
            }
            INPUT if kind == Kind::Object => {
                self.editor.is_in_input = true;
                self.editor.asked.reset();
            }
            INPUT | ELICITATION => return Err(ReplyError::InputNotObject),
            MODE | URL | CAPTURED | TRIE.. => {
                let editor = &mut *self.editor;
                editor.asked.begin(editor.judge.captures(), place, kind);
            }
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, node: Node, piece: &str) -> Result<(), ReplyError> {
        match node.number() {
            NAME => {
                self.name_text(piece)?;
                self.tell(ElementPart::Text(piece));
            }
            CARRIED_TYPE => self.name_text(piece)?,
            DEEP => self.tell(ElementPart::Text(piece)),
            STATE | TASK_ID => return self.handle_text(piece),
            place => self.editor.asked.text(place, piece),
        }
        Ok(())
    }

    fn end(&mut self, node: Node, kind: Kind, at: u64) -> Result<(), ReplyError> {
        match node.number() {
            ROOT => self.end_root(kind, at),
            MESSAGE => self.end_of_batch(at),
            RESULT => self.end_result(at),
            SCOPE => {
                self.from = at;
                self.output.push(Bytes::from_static(PRIVATE));
                self.editor.mode = Mode::Pass;
                Ok(())
            }
            NAME if kind != Kind::String => Ok(()),
            NAME => {
                self.tell(ElementPart::End(kind));
                self.named(at)
            }
            CARRIED_TYPE => {
                if kind == Kind::String && !self.editor.name.starts_with("resource") {
                    self.is_plain();
                }
                Ok(())
            }
            ELEMENT..=ELEMENT_END => {
                self.tell(ElementPart::End(kind));
                self.end_element(at)
            }
            DEEP => {
                self.tell(ElementPart::End(kind));
                Ok(())
            }
            LIST..=LIST_END if kind == Kind::Array => {
                self.check_hold(at)?;
                self.release();
                Ok(())
            }
            STATE => {
                self.end_handle(SealedKind::State, at);
                Ok(())
            }
            TASK_ID => {
                self.end_handle(SealedKind::Task, at);
                Ok(())
            }
            ID => {
                self.editor.id.end(at, self.run);
                Ok(())
            }
            METHOD => self.end_method(at),
            PARAMS => {
                let editor = &mut *self.editor;
                editor.asked.end_params(editor.judge.captures(), kind);
                self.try_judge(at)
            }
            RESULT_TYPE => self.end_result_type(at),
            STATUS => self.end_status(at),
            INPUT => self.end_input(at),
            ELICITATION => {
                let editor = &mut *self.editor;
                editor.asked.end_params(editor.judge.captures(), kind);
                self.end_input(at)
            }
            ERROR | INPUTS => self.settle_result(at),
            place @ (MODE | URL | CAPTURED | TRIE..) => {
                let editor = &mut *self.editor;
                editor.asked.end(editor.judge.captures(), place, kind);
                self.try_judge(at)
            }
            _ => Ok(()),
        }
    }
}

impl<J: Judge> Cut<'_, '_, J> {
    fn message_key(&mut self, name: &str) -> Node {
        let editor = &mut *self.editor;
        if !editor.options.watch.requests {
            return if name == "result" {
                Node::new(RESULT)
            } else {
                unless_alike(name, &["result"])
            };
        }
        match name {
            "result" | "error" if editor.asked.has_method() => Node::new(AMBIGUOUS),
            "method" if editor.has_outcome => Node::new(AMBIGUOUS),
            "result" => {
                editor.has_outcome = true;
                Node::new(RESULT)
            }
            "error" => {
                editor.has_outcome = true;
                Node::new(ERROR)
            }
            "method" => Node::new(METHOD).with_text(),
            // A task's own result is inspected like the result of a call, and what it asks for like that of one.
            "params" if is_task(editor.asked.method()) => Node::new(RESULT),
            "params" if editor.stage == Stage::Unknown => Node::new(PARAMS),
            "params" => Node::IGNORE,
            "id" => Node::new(ID),
            "jsonrpc" => Node::IGNORE,
            _ => unless_alike(name, &MEMBERS),
        }
    }

    fn result_key(&mut self, name: &str) -> Node {
        let watch = self.editor.options.watch;
        if watch.requests {
            match name {
                "resultType" => {
                    self.editor.has_result_type = true;
                    return Node::new(RESULT_TYPE).with_text();
                }
                "inputRequests" => return Node::new(INPUTS),
                // `tasks/get` and `notifications/tasks` carry the result of the call that made the task.
                "result" => return Node::new(RESULT),
                "error" => return Node::new(ERROR),
                "requestState" if watch.states => return Node::new(STATE).with_text(),
                "taskId" if watch.tasks => return Node::new(TASK_ID).with_text(),
                "task" if watch.tasks => return Node::new(TASK),
                // Of a task, and of nothing that is large.
                "status" => return Node::new(STATUS).with_text(),
                // Of whatever size, and more often that of a call than that of a task.
                "_meta" if self.editor.is_complete => return Node::new(TELLING),
                // Small, and often first.
                "_meta" | "requestState" | "taskId" => return Node::IGNORE,
                _ if TASK_MEMBERS.contains(&name) => return Node::IGNORE,
                _ => {}
            }
            let node = unless_alike(name, &["resultType", "inputRequests"]);
            if node != Node::IGNORE {
                return node;
            }
        }
        let node = self.list_key(name);
        // Only a result that asks for input has nothing else in it.
        if node == Node::IGNORE && self.editor.stage == Stage::Result {
            Node::new(TELLING)
        } else {
            node
        }
    }

    fn list_key(&mut self, name: &str) -> Node {
        let watch = self.editor.options.watch;
        if watch.carried
            && let Some(carriers) = carriers_of(name)
        {
            return carriers;
        }
        if !watch.lists {
            return Node::IGNORE;
        }
        if let Some(list) = list_of(name) {
            return list;
        }
        match name {
            "cacheScope" if watch.private => {
                self.editor.has_scope = true;
                Node::new(SCOPE)
            }
            "resultType" => {
                self.editor.has_result_type = true;
                Node::IGNORE
            }
            _ => {
                let [a, b, c, d] = &LISTS;
                let lists = [a, b, c, d].map(|list| list.member());
                match unless_alike(name, &lists) {
                    Node::IGNORE => unless_alike(name, &["cacheScope", "resultType"]),
                    doubtful => doubtful,
                }
            }
        }
    }

    /// A piece of the name of an element, or of what it carries. It is no longer than what may be held.
    fn name_text(&mut self, piece: &str) -> Result<(), ReplyError> {
        let editor = &mut *self.editor;
        if editor.name.len() + piece.len() > editor.options.hold {
            return Err(ReplyError::HoldExceeded);
        }
        editor.name.push_str(piece);
        Ok(())
    }

    fn element_key(&mut self, place: u16, name: &str) -> Node {
        let is_whole = self.editor.options.watch.elements;
        if is_whole {
            self.tell(ElementPart::Key(name));
        }
        let node = match list_at(place) {
            Some(list) if list.id() == name => Node::new(NAME).with_text(),
            Some(list) => unless_alike(name, &[list.id()]),
            // What a resource says stands in the element itself only where the result is that of reading it.
            None if place == CONTENT && matches!(name, "text" | "data") => Node::new(PLAIN),
            None => return carried_key(name),
        };
        if is_whole && node == Node::IGNORE { Node::new(DEEP).with_text() } else { node }
    }

    fn tell(&mut self, part: ElementPart<'_>) {
        let editor = &mut *self.editor;
        if editor.options.watch.elements
            && let Some(list) = list_at(editor.list)
        {
            editor.judge.element(list, part);
        }
    }
}

/// Member `name` of an element that may carry a resource, or of what is in it.
fn carried_key(name: &str) -> Node {
    match name {
        "uri" => Node::new(NAME).with_text(),
        "resource" | "content" => Node::new(CARRIED),
        "type" => Node::new(CARRIED_TYPE).with_text(),
        _ => unless_alike(name, &["uri", "resource", "content", "type"]),
    }
}

/// Whether a notification of `method` carries a whole task.
pub(super) fn is_task(method: Option<&str>) -> bool {
    matches!(method, Some("notifications/tasks" | "notifications/tasks/status"))
}
