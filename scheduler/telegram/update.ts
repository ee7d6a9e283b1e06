/** Who wrote, or pressed. */
export interface Sender {
  readonly id: number;
  readonly first_name?: string;
}

/** A message of the Bot API, as far as it is read. */
export interface Message {
  readonly message_id: number;
  readonly chat: { readonly id: number };
  readonly from?: Sender;
  readonly text?: string;
}

/** A button that was pressed. */
export interface CallbackQuery {
  readonly id: string;
  readonly from: Sender;
  readonly message?: Message;
  readonly data?: string;
}

/** What getUpdates gives: it may give the same one more than once. */
export interface Update {
  readonly update_id: number;
  readonly message?: Message;
  readonly callback_query?: CallbackQuery;
}
