// The words for language: what a task asks and what a subject answers.
// A query is data. Prompting specializers change queries on the way in and answers on the way out, so they compose.
export {};
