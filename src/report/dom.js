// The few parts of the DOM that the report's script uses, as types. Not the DOM's own types: those would become global
// for the whole program, where nothing else may touch a document.
export {};
