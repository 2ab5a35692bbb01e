import { messageOf } from '#libs/errors'
import { sleep } from '#libs/lifecycle'
import type { Logger } from '#libs/telemetry'
import { type AssignedPartition, type Assignment, newAssignment, setPositions } from './assignment.ts'

export interface GroupMembership {
  readonly current: () => Assignment | undefined
  /** Begins a new epoch: reads where the group stands, tells the owner, and only then lets batches through. */
  readonly join: (members: Assignment['members']) => void
  /** Makes the current assignment void and tells the owner. */
  readonly end: () => void
}

export interface MembershipPorts {
  readonly readOffsets: (members: Assignment['members']) => Promise<AssignedPartition[]>
  readonly onAssigned: (partitions: AssignedPartition[], assignment: { epoch: number }) => void | Promise<void>
  readonly onRevoked: () => void
  /** The owner failed. */
  readonly fail: (error: unknown) => void
  readonly log: Logger
}

const RETRY_MS = 500

export function openGroupMembership({
  readOffsets,
  onAssigned,
  onRevoked,
  fail,
  log,
}: MembershipPorts): GroupMembership {
  let current: Assignment | undefined
  let assigning = Promise.resolve()
  let epoch = 0

  /** One at a time: the owner of a later epoch never overtakes that of an earlier one. */
  async function assign(assignment: Assignment): Promise<void> {
    const partitions = await readPatiently(assignment)
    if (partitions === undefined) return
    setPositions(assignment, partitions)
    log.info({ epoch: assignment.epoch, partitions: partitions.length }, 'partitions assigned')
    try {
      await onAssigned(partitions, { epoch: assignment.epoch })
    } catch (error) {
      fail(error)
    }
    assignment.isReady = true
    assignment.setReady()
  }

  /** @returns undefined when the assignment ended first */
  async function readPatiently(assignment: Assignment): Promise<AssignedPartition[] | undefined> {
    while (!assignment.isOver) {
      try {
        const partitions = await readOffsets(assignment.members)
        return assignment.isOver ? undefined : partitions
      } catch (error) {
        log.debug({ reason: messageOf(error) }, 'committed offsets not read, trying again')
        await sleep(RETRY_MS)
      }
    }
    return undefined
  }

  function end(): void {
    const assignment = current
    if (assignment === undefined) return
    current = undefined
    assignment.isOver = true
    assignment.onOver?.()
    try {
      onRevoked()
    } catch (error) {
      fail(error)
    }
  }

  return {
    current: () => current,
    join: (members) => {
      end()
      const assignment = newAssignment(++epoch, members)
      current = assignment
      assigning = assigning.then(() => assign(assignment))
    },
    end,
  }
}
