/** Projects and what is configured for each: the newest revisions, opened and checked. */
export {
  type LoadRevisionsOptions,
  loadRevisions,
  type ProjectRevision,
  REVISIONS_CHANNEL,
  type SeenRevisions,
} from './load-revisions.ts'
export { namedFiles, serverFiles } from './server-files.ts'
