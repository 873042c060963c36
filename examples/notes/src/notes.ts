/** Where the notes are: in memory, as this example is about who may see them. */
export interface Note {
  readonly id: number;
  readonly ownerId: string;
  readonly text: string;
  readonly createdAt: Date;
}

export interface NoteBook {
  of(ownerId: string): Note[];
  add(ownerId: string, text: string): Note;
  /** The owner's note, or anybody's where there is no owner given. Returns whether there was one. */
  remove(id: number, ownerId?: string): boolean;
  clear(ownerId: string): void;
}

export function createNoteBook(): NoteBook {
  const notes = new Map<number, Note>();
  let lastId = 0;
  const of = (ownerId: string) => [...notes.values()].filter((note) => note.ownerId === ownerId);
  return {
    of,
    add(ownerId, text) {
      lastId += 1;
      const note = { id: lastId, ownerId, text, createdAt: new Date() };
      notes.set(note.id, note);
      return note;
    },
    remove(id, ownerId) {
      const note = notes.get(id);
      if (note === undefined || (ownerId !== undefined && note.ownerId !== ownerId)) return false;
      return notes.delete(id);
    },
    clear(ownerId) {
      for (const { id } of of(ownerId)) notes.delete(id);
    },
  };
}
