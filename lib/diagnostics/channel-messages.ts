/** `os-ipc:channel:sent` and `os-ipc:channel:received`: messages of a {@link Channel} were sent or received. */
export interface ChannelMessage {
  /** The name of the channel. */
  name: string
  /** The number of messages that the call sent or took at once. */
  messages: number
}

/**
 * `os-ipc:channel:wait`: a call begins to wait, because there is no room or no message, or because another process sends
 * or receives now.
 */
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
