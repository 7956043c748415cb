// libedit for Swift: its functions with a variable number of arguments, each use of them as a function of its own.
#pragma once
#include <histedit.h>
#include <locale.h>
#include <stdio.h>

typedef char *(*le_prompt_fn)(EditLine *);
typedef unsigned char (*le_command_fn)(EditLine *, int);

int wcwidth(wchar_t character);  // <wchar.h> has it with _XOPEN_SOURCE only

static inline EditLine *le_open(const char *program) { return el_init(program, stdin, stdout, stderr); }

// Writes out what libedit has written to its stream.
static inline void le_flush(void) { fflush(stdout); }

// Columns of a character; 0 for one that has none.
static inline int le_width(wchar_t character) {
  int width = wcwidth(character);
  return width > 0 ? width : 0;
}

static inline void le_set_client_data(EditLine *editor, void *data) { el_set(editor, EL_CLIENTDATA, data); }

static inline void *le_client_data(EditLine *editor) {
  void *data = NULL;
  el_get(editor, EL_CLIENTDATA, &data);
  return data;
}

static inline void le_set_prompt(EditLine *editor, le_prompt_fn prompt) { el_set(editor, EL_PROMPT, prompt); }

static inline void le_set_reader(EditLine *editor, el_rfunc_t reader) { el_set(editor, EL_GETCFN, reader); }

static inline void le_set_editor(EditLine *editor, const char *name) { el_set(editor, EL_EDITOR, name); }

static inline void le_ignore_signals(EditLine *editor) { el_set(editor, EL_SIGNAL, 0); }

// Makes `command` a command of that name, bound to a key (as in editrc(5): "^I").
static inline void le_bind(EditLine *editor, const char *key, const char *name, le_command_fn command) {
  el_set(editor, EL_ADDFN, name, name, command);
  el_set(editor, EL_BIND, key, name, NULL);
}

static inline void le_bind_builtin(EditLine *editor, const char *key, const char *name) {
  el_set(editor, EL_BIND, key, name, NULL);
}

static inline void le_refresh(EditLine *editor) { el_set(editor, EL_REFRESH); }

static inline void le_prepare_terminal(EditLine *editor, int raw) { el_set(editor, EL_PREP_TERM, raw); }

static inline void le_use_history(EditLine *editor, History *list) { el_set(editor, EL_HIST, history, list); }

static inline void le_history_limit(History *list, int count) {
  HistEvent event;
  history(list, &event, H_SETSIZE, count);
  history(list, &event, H_SETUNIQUE, 1);
}

static inline void le_history_add(History *list, const char *line) {
  HistEvent event;
  history(list, &event, H_ENTER, line);
}
