/** What every message of a channel of `node:diagnostics_channel` tells of a {@link Channel}. */
export interface ChannelMessage {
  /** The name of the channel. */
  name: string
  /** The number of messages that this call sent or received. */
  messages: number
}

/** `os-ipc:channel:wait`: a call waits, because there is no room or no message, or because another process is at work. */
export interface ChannelWaitMessage {
  /** The name of the channel. */
  name: string
  /** The side that waits. */
  side: 'send' | 'receive'
}

/** The messages of the channels of `node:diagnostics_channel` to which a {@link Channel} publishes. */
export interface ChannelDiagnosticsMessages {
  'os-ipc:channel:sent': ChannelMessage
  'os-ipc:channel:received': ChannelMessage
  'os-ipc:channel:wait': ChannelWaitMessage
}
